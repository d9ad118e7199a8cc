using Hosting.Grains.Storage;
using Hosting.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Hosting.Storage.Tests;

/// <summary>The stores as a silo registers them.</summary>
internal sealed class Stores : IAsyncDisposable
{
    private readonly ServiceProvider services;

    public Stores(string connectionString, TimeSpan? writeDeadline = null, IReadOnlyDictionary<string, string>? regional = null)
    {
        ConnectionString = connectionString;
        var registrations = new ServiceCollection();
        registrations.AddLogging(logging => logging.AddProvider(Log));
        registrations.AddSingleton(new StorageOptions { WriteDeadline = writeDeadline ?? TimeSpan.FromSeconds(20) });
        registrations.AddHostingStorage(connectionString, regional);
        services = registrations.BuildServiceProvider();
    }

    public string ConnectionString { get; }

    public RecordedLog Log { get; } = new();

    public DeploymentStore Deployments => services.GetRequiredService<DeploymentStore>();

    public PoolStore Pool => services.GetRequiredService<PoolStore>();

    public EventLog Events => services.GetRequiredService<EventLog>();

    public Database Shared => services.GetRequiredService<Databases>().Shared;

    public NpgsqlDataSource Source => Shared.Source;

    public static ContainerRecord Container(string region, string id, string app = "shop", string server = "srv-1", string vm = "vm-1") => new()
    {
        Id = id,
        App = app,
        Revision = 1,
        Region = region,
        Server = server,
        Vm = vm,
        Demand = new Demand(100, 64),
        State = ContainerState.Placed,
        CreatedAt = new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero),
    };

    public async Task<T> Scalar<T>(string sql, params object[] values)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => services.DisposeAsync();
}

/// <summary>What was logged, warnings and worse.</summary>
internal sealed class RecordedLog : ILoggerProvider, ILogger
{
    private readonly List<string> warnings = [];

    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (warnings)
                return [.. warnings];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        lock (warnings)
            warnings.Add(formatter(state, exception));
    }

    public void Dispose()
    {
    }
}
