using Hosting.Apps;
using Hosting.Regions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

var host = new HostBuilder().UseOrleansClient(client => client
    .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("hosting", "hosting"))
    .UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", args[0]))).Build();
await host.StartAsync();
var grains = host.Services.GetRequiredService<IGrainFactory>();

var deployed = await grains.GetGrain<IAppServiceGrain>("from-sdk").Deploy(new AppSpec { Image = "hosting/hello:1", Port = 8080 });
Console.WriteLine($"{deployed.Outcome}: {deployed.Status?.Message ?? string.Join(" ", deployed.Errors)}");

foreach (var name in await grains.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetApps())
{
    var app = await grains.GetGrain<IAppServiceGrain>(name).GetStatus();
    Console.WriteLine($"{name}: {app?.Phase}, {app?.Ready} of {app?.Desired} ready");
}
await host.StopAsync();
