using Hosting.Grains.Storage;
using Hosting.Support;

[assembly: AssemblyFixture(typeof(Hosting.Storage.Tests.Postgres))]

namespace Hosting.Storage.Tests;

/// <summary>One cluster for all classes of the assembly.</summary>
public sealed class Postgres : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresServer.Start();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>A new database with the schema in it.</summary>
    public async Task<string> CreateDatabase()
    {
        var connectionString = await Server.CreateDatabase();
        await Schema.Apply(connectionString, CancellationToken.None);
        return connectionString;
    }
}
