using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Hosting.Support;

/// <summary>
/// A PostgreSQL cluster of its own, made from the newest installed binaries in a temporary directory: started in about a
/// second, reachable on loopback only, gone when disposed. Never a database that was there before.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string directory;
    private readonly string options;
    private int databases;

    private PostgresServer(string directory, int port, string options) =>
        (this.directory, Port, this.options) = (directory, port, options);

    /// <summary>The TCP port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The directory with the cluster's data, its socket and its log.</summary>
    public string Directory => directory;

    /// <summary>Connection string of the cluster's own database.</summary>
    public string ConnectionString => ConnectionStringOf("postgres");

    private string Data => Path.Combine(directory, "data");

    /// <summary>What its processes that run now have used of the processors so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            var processes = ChildrenOf(ProcessId());
            var total = TimeSpan.Zero;
            foreach (var process in processes)
                using (process)
                    total += process.TotalProcessorTime;
            return total;
        }
    }

    /// <summary>Makes a cluster and starts it.</summary>
    /// <param name="fsync">Whether a commit reaches the disk; tests of crashes of the process alone can do without.</param>
    /// <param name="settings">Further settings, for example <c>max_connections=300</c>.</param>
    public static async Task<PostgresServer> Start(bool fsync = true, params string[] settings)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("hosting-postgres-").FullName;
        var port = Ports.Free();
        string[] all =
        [
            $"port={port}", "listen_addresses=127.0.0.1", $"unix_socket_directories={directory}", $"fsync={(fsync ? "on" : "off")}",
            "max_connections=200", "shared_buffers=64MB", "max_wal_size=1GB", .. settings,
        ];
        var server = new PostgresServer(directory, port, string.Join(' ', all.Select(setting => "-c " + setting)));
        await PostgresBinary.GiveAway(directory);
        await PostgresBinary.Run("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await server.StartProcess();
        return server;
    }

    /// <summary>Starts the process again after <see cref="Kill"/> or <see cref="Stop"/>, on the same port.</summary>
    public async Task StartProcess()
    {
        await PostgresBinary.Run("pg_ctl", "-D", Data, "-l", Path.Combine(directory, "log"), "-o", options,
            "-w", "-t", StartLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture), "start");
    }

    /// <summary>kill -9 of the server: nobody is told, nothing is flushed. Answers once it is gone.</summary>
    public async Task Kill()
    {
        using var postmaster = Process.GetProcessById(ProcessId());
        var children = ChildrenOf(postmaster.Id);
        postmaster.Kill();
        await postmaster.WaitForExitAsync();
        // A new server refuses to start while a process of the old one holds its shared memory.
        foreach (var child in children)
            await End(child);
    }

    /// <summary>Stops it; sessions are cut off, everything is flushed.</summary>
    public Task Stop() => PostgresBinary.Run("pg_ctl", "-D", Data, "-m", "fast", "-w", "stop");

    /// <summary>Makes an empty database and answers its connection string.</summary>
    public async Task<string> CreateDatabase()
    {
        var name = "test" + Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture);
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name} STRATEGY wal_log", connection);
        await command.ExecuteNonQueryAsync();
        return ConnectionStringOf(name);
    }

    /// <summary>A database as SQL, without the membership of silos, which means nothing elsewhere and later.</summary>
    public async Task<string> Dump(string connectionString)
    {
        var file = Path.Combine(directory, "dump.sql");
        await PostgresBinary.Run("pg_dump", "-h", "127.0.0.1", "-p", PortText, "-U", "postgres", "--no-owner", "--no-privileges", "--inserts",
            "--exclude-table-data=orleans_member", "--exclude-table-data=orleans_cluster", "-f", file, NameOf(connectionString));
        return await File.ReadAllTextAsync(file);
    }

    /// <summary>Backs a database up and restores it as a new one, as operators do; answers its connection string.</summary>
    public async Task<string> BackUpAndRestore(string connectionString)
    {
        var file = Path.Combine(directory, "backup.dump");
        await PostgresBinary.Run("pg_dump", "-h", "127.0.0.1", "-p", PortText, "-U", "postgres", "-Fc", "-f", file, NameOf(connectionString));
        var restored = await CreateDatabase();
        await PostgresBinary.Run("pg_restore", "-h", "127.0.0.1", "-p", PortText, "-U", "postgres", "--exit-on-error", "-d", NameOf(restored), file);
        return restored;
    }

    /// <summary>Stops it at once and removes all it wrote.</summary>
    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            await PostgresBinary.TryRun("pg_ctl", "-D", Data, "-m", "immediate", "-w", "stop");
        System.IO.Directory.Delete(directory, recursive: true);
    }

    private string ConnectionStringOf(string database) =>
        $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Timeout=5;Command Timeout=30";

    private string PortText => Port.ToString(CultureInfo.InvariantCulture);

    private static string NameOf(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString).Database!;

    private int ProcessId() =>
        int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    private static List<Process> ChildrenOf(int parent)
    {
        var children = new List<Process>();
        // Not by name: what runs calls itself by what it does.
        foreach (var process in Process.GetProcesses())
            if (ParentOf(process.Id) == parent)
                children.Add(process);
            else
                process.Dispose();
        return children;
    }

    // The fields after the name, which stands in parentheses and may hold anything: state, then the parent.
    private static int ParentOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static async Task End(Process process)
    {
        using (process)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}
