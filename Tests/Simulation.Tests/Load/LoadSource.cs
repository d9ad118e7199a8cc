namespace Hosting.Simulation.Tests.Load;

/// <summary>Where the primaries' load comes from.</summary>
/// <param name="Description">For the test's output.</param>
/// <param name="Traces">At least one.</param>
internal sealed record LoadSource(string Description, IReadOnlyList<PrimaryTrace> Traces)
{
    /// <summary>The traces of real servers beside the checkout; invented ones of the same shape where they are not.</summary>
    public static LoadSource Find()
    {
        var folder = Path.GetFullPath(Path.Combine(Root(), "..", "shared", "traces"));
        var real = TraceFiles.ReadAll(folder);
        return real.Count > 0
            ? new LoadSource($"{real.Count} traces of real servers", real)
            : new LoadSource("invented traces: there are no real ones beside the checkout", InventedTraces.All());
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Hosting.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}
