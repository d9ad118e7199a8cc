using System.Text.Json.Serialization;
using Hosting.Apps;

namespace Hosting.Gateway.State;

/// <summary>What a gateway keeps on disk, so that it serves after a restart without the control plane.</summary>
internal sealed record SavedRoutes
{
    /// <summary>The format this code writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Version of the file's form.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Base addresses of the HTTP API.</summary>
    public required IReadOnlyList<string> Api { get; init; }

    /// <summary>Known apps.</summary>
    public required IReadOnlyList<SavedApp> Apps { get; init; }
}

/// <summary>An app and the host names it was asked for by.</summary>
internal sealed record SavedApp
{
    /// <summary>Where it runs.</summary>
    public required AppRoute Route { get; init; }

    /// <summary>Host names that lead to it.</summary>
    public required IReadOnlyList<string> Hosts { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(SavedRoutes))]
internal sealed partial class SavedRoutesJson : JsonSerializerContext;
