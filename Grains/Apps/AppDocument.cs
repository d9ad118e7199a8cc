using Hosting.Apps;

namespace Hosting.Grains.Apps;

/// <summary>An app service as its grain stores it. Immutable: a change is a new document.</summary>
[GenerateSerializer, Alias("hosting.AppDocument")]
internal sealed record AppDocument
{
    /// <summary>The newest spec; null when there is no such app.</summary>
    [Id(0)] public AppSpec? Spec { get; init; }

    /// <summary>Its revision.</summary>
    [Id(1)] public int Revision { get; init; }

    /// <summary>Raised by every change, also by those that keep the revision.</summary>
    [Id(2)] public long Generation { get; init; }

    /// <summary>The specs of the last revisions.</summary>
    [Id(3)] public Dictionary<int, AppSpec> Revisions { get; init; } = [];

    /// <summary>Regions that have, or may have, a share of the app.</summary>
    [Id(4)] public List<string> Regions { get; init; } = [];

    /// <summary>The app was deleted; the document goes once its containers have stopped.</summary>
    [Id(5)] public bool Deleting { get; init; }

    /// <summary>Wanted replicas of each region; a region that is not named here has its share taken away.</summary>
    [Id(6)] public Dictionary<string, int> Shares { get; init; } = [];

    /// <summary>Where the kept revisions come from.</summary>
    [Id(7)] public Dictionary<int, RevisionOrigin> Origins { get; init; } = [];

    /// <summary>Regions that are away: the others run their shares.</summary>
    [Id(8)] public List<string> Away { get; init; } = [];
}

/// <summary>Where a revision comes from.</summary>
/// <param name="At">When it was made.</param>
/// <param name="RollbackOf">The revision it was a rollback to; null when it was none.</param>
[GenerateSerializer, Alias("hosting.RevisionOrigin")]
internal sealed record RevisionOrigin([property: Id(0)] DateTimeOffset At, [property: Id(1)] int? RollbackOf);
