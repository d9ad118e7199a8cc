namespace Hosting.Support;

/// <summary>The checkout that the running program was built in.</summary>
public static class Checkout
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Hosting.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("It runs inside a checkout only.");
    }
}
