using Npgsql;

namespace Hosting.Benchmarks.Placement;

/// <summary>Whether a commit that PostgreSQL confirms would survive a power cut. If not, there is nothing to measure.</summary>
internal static class Durability
{
    public static async Task Check(string database, string directory)
    {
        await using var source = NpgsqlDataSource.Create(database);
        foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes" })
            if (await Get(source, setting) is var value && value != "on")
                throw new PreconditionException($"PostgreSQL runs with {setting} = {value}: its commits are not durable.");
        if (FileSystemOf(directory) is "tmpfs" or "ramfs")
            throw new PreconditionException($"{directory} is in memory, so nothing written there is durable: set TMPDIR to a folder on a disk.");
    }

    private static async Task<string?> Get(NpgsqlDataSource source, string setting)
    {
        await using var command = source.CreateCommand($"SHOW {setting}");
        return await command.ExecuteScalarAsync() as string;
    }

    private static string FileSystemOf(string directory) => DriveInfo.GetDrives()
        .Where(drive => directory.StartsWith(drive.Name, StringComparison.Ordinal))
        .MaxBy(drive => drive.Name.Length)?.DriveFormat ?? "";
}
