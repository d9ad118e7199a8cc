namespace Hosting.Grains.Storage;

/// <summary>Which deployment records to read; null asks for any.</summary>
public sealed record ContainerFilter
{
    /// <summary>Name of the region.</summary>
    public string? Region { get; init; }

    /// <summary>Name of the server, without the region.</summary>
    public string? Server { get; init; }

    /// <summary>Name of the VM, without region and server.</summary>
    public string? Vm { get; init; }

    /// <summary>Name of the app.</summary>
    public string? App { get; init; }

    /// <summary>Also those that are over.</summary>
    public bool IncludeOver { get; init; }

    /// <summary>At most this many, 1 to 1,000,000. Default 1,000.</summary>
    public int Limit { get; init; } = 1000;
}
