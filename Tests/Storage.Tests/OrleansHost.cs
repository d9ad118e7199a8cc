using Hosting.Grains.Storage;
using Hosting.Support;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Hosting.Storage.Tests;

/// <summary>Silos and clients with Orleans' own ADO.NET providers on our tables.</summary>
internal static class OrleansHost
{
    /// <summary>Name of a second storage provider, which deletes the row of a state that is cleared.</summary>
    public const string Deleting = "deleting";

    public static IHost Build(string connectionString, string clusterId)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHostingStorage(connectionString);
        builder.UseOrleans(silo => silo
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, "hosting"))
            .ConfigureEndpoints(System.Net.IPAddress.Loopback, Ports.Free(), Ports.Free())
            .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connectionString))
            .AddAdoNetGrainStorageAsDefault(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connectionString))
            .AddAdoNetGrainStorage(Deleting, options =>
                (options.Invariant, options.ConnectionString, options.DeleteStateOnClear) = ("Npgsql", connectionString, true)));
        return builder.Build();
    }

    public static IHost BuildClient(string connectionString, string clusterId)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleansClient(client => client
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, "hosting"))
            .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", connectionString)));
        return builder.Build();
    }
}
