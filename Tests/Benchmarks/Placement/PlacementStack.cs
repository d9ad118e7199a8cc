using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hosting.Grains.Storage;
using Hosting.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;

namespace Hosting.Benchmarks.Placement;

/// <summary>
/// PostgreSQL and a silo, each in processes of their own and with the benchmark's data only. The silo is the product's own
/// program with its own settings; this process is its client, over TCP.
/// </summary>
internal sealed class PlacementStack : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    // A write latency without checkpoints in between; what makes a commit durable stays as it is installed.
    private static readonly string[] Settings =
    [
        "shared_buffers=1GB", "min_wal_size=3GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "wal_buffers=64MB",
    ];

    private readonly PostgresServer _postgres;
    private readonly IHost _client;
    private readonly SiloProcess _silo;

    private PlacementStack(PostgresServer postgres, string database, SiloProcess silo, IHost client) =>
        (_postgres, Database, Source, _silo, _client) = (postgres, database, StorageServices.CreateDataSource(database), silo, client);

    /// <summary>Connection string of its database.</summary>
    public string Database { get; }

    /// <summary>Connections as the stores open them.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Grains, as a client sees them.</summary>
    public IGrainFactory Grains => _client.Services.GetRequiredService<IGrainFactory>();

    public static async Task<PlacementStack> Start(params string[] regions)
    {
        var postgres = await PostgresServer.Start(fsync: true, Settings);
        SiloProcess? silo = null;
        try
        {
            var database = await postgres.CreateDatabase();
            await Durability.Check(database, postgres.Directory);
            silo = new SiloProcess(database, regions);
            var client = Client(silo.GatewayPort);
            await silo.Started(StartLimit);
            await client.StartAsync();
            return new PlacementStack(postgres, database, silo, client);
        }
        catch
        {
            silo?.Dispose();
            await postgres.DisposeAsync();
            throw;
        }
    }

    /// <summary>Address of the silo's HTTP API.</summary>
    public Uri Api => _silo.Api;

    /// <summary>What the three sides have used of the processors so far.</summary>
    public ProcessorTimes Times() => ProcessorTimes.Now(Environment.CpuUsage.TotalTime, _silo.ProcessorTime, _postgres.ProcessorTime);

    public async ValueTask DisposeAsync()
    {
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
            await _client.StopAsync(limit.Token);
        _client.Dispose();
        _silo.Dispose();
        await Source.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private static IHost Client(int gateway) => new HostBuilder()
        .ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.None))
        .UseOrleansClient(client => client
            .UseStaticClustering(new IPEndPoint(IPAddress.Loopback, gateway))
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("hosting", "hosting")))
        .Build();
}

/// <summary>The silo's own program.</summary>
internal sealed class SiloProcess : IDisposable
{
    private const int LinesKept = 20;

    private readonly Queue<string> _said = new();
    private readonly Process _process;
    private readonly int _apiPort = FreePort();

    public SiloProcess(string database, string[] regions)
    {
        var start = new ProcessStartInfo("dotnet", [Program()]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ConnectionStrings__Hosting"] = database;
        start.Environment["Hosting__Silo__Regions"] = string.Join(',', regions);
        start.Environment["Hosting__Silo__Name"] = "bench";
        start.Environment["Hosting__Silo__SiloPort"] = Text(FreePort());
        start.Environment["Hosting__Silo__GatewayPort"] = Text(GatewayPort);
        start.Environment["Hosting__Silo__ApiPort"] = Text(_apiPort);
        start.Environment["Hosting__Silo__AgentPort"] = Text(FreePort());
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int GatewayPort { get; } = FreePort();

    public Uri Api => new($"http://127.0.0.1:{_apiPort}");

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Waits until it serves grains.</summary>
    public async Task Started(TimeSpan limit)
    {
        using var http = new HttpClient { BaseAddress = Api };
        var begun = Stopwatch.GetTimestamp();
        while (!await IsReady(http))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > limit)
                throw new PreconditionException($"the silo does not start. It said:{Environment.NewLine}{Said()}");
            await Task.Delay(100);
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static async Task<bool> IsReady(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/readyz");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        lock (_said)
        {
            _said.Enqueue(line ?? "");
            if (_said.Count > LinesKept)
                _said.Dequeue();
        }
    }

    private string Said()
    {
        lock (_said)
            return string.Join(Environment.NewLine, _said);
    }

    /// <summary>Built beside this one, in the same configuration.</summary>
    private static string Program()
    {
        var output = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var (framework, configuration) = (Path.GetFileName(output), Path.GetFileName(Path.GetDirectoryName(output)!));
        var program = Path.GetFullPath(Path.Combine(output, "../../../../../Silo/bin", configuration, framework, "Hosting.Silo.dll"));
        return File.Exists(program) ? program : throw new PreconditionException($"the silo is not built: there is no {program}.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
