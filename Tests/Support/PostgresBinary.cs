using System.Diagnostics;
using System.Globalization;

namespace Hosting.Support;

/// <summary>The programs of the newest installed PostgreSQL, which refuse to run as root.</summary>
internal static class PostgresBinary
{
    private const string User = "postgres";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static string Folder { get; } = FindFolder();

    /// <summary>Hands a directory over to the user that the programs run as.</summary>
    public static async Task GiveAway(string directory)
    {
        if (Environment.IsPrivilegedProcess)
            await Execute("chown", [User, directory]);
    }

    /// <exception cref="InvalidOperationException">It failed; the message has what it said.</exception>
    public static async Task Run(string program, params string[] arguments)
    {
        var path = Path.Combine(Folder, program);
        if (Environment.IsPrivilegedProcess)
            await Execute("runuser", ["-u", User, "--", path, .. arguments]);
        else
            await Execute(path, arguments);
    }

    /// <summary>Whether it succeeded.</summary>
    public static async Task<bool> TryRun(string program, params string[] arguments)
    {
        try
        {
            await Run(program, arguments);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static async Task Execute(string path, string[] arguments)
    {
        // Output goes through a file: a server that is started inherits it, so a pipe would never end.
        var output = Path.GetTempFileName();
        try
        {
            var script = "out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null";
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script, "sh", output, path, .. arguments])
            {
                WorkingDirectory = "/",
            })!;
            using var limit = new CancellationTokenSource(Limit);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{path} {string.Join(' ', arguments)}: {await File.ReadAllTextAsync(output)}");
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static string FindFolder()
    {
        const string root = "/usr/lib/postgresql";
        var newest = Directory.Exists(root)
            ? Directory.GetDirectories(root)
                .Where(version => File.Exists(Path.Combine(version, "bin", "initdb")))
                .MaxBy(version => int.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0)
            : null;
        return newest is null
            ? throw new InvalidOperationException($"There is no PostgreSQL under {root}: install the package postgresql.")
            : Path.Combine(newest, "bin");
    }
}
