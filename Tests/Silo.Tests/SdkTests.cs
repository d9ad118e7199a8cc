using Hosting.Apps;
using Hosting.Regions;

namespace Hosting.Silo.Tests;

/// <summary>The same job through grain interfaces.</summary>
public class SdkTests(SiloUnderTest silo) : IClassFixture<SiloUnderTest>
{
    [Fact]
    public async Task An_app_is_deployed_listed_and_deleted()
    {
        var app = silo.Grains.GetGrain<IAppServiceGrain>("sdk");
        var deployed = await app.Deploy(new AppSpec { Image = "shop:1", Port = 80, Replicas = 0 });
        Assert.Equal(DeployOutcome.Created, deployed.Outcome);
        Assert.Contains("sdk", await silo.Grains.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetApps());
        await app.Delete();
        await SiloUnderTest.Eventually(async () => await app.GetStatus() is null, "the app is gone");
    }

    [Fact]
    public async Task Errors_are_values()
    {
        var refused = await silo.Grains.GetGrain<IAppServiceGrain>("bad").Deploy(new AppSpec { Image = "", Port = 0 });
        Assert.Equal(DeployOutcome.Invalid, refused.Outcome);
        Assert.Equal(["image", "port"], refused.Errors.Select(e => e.Field).Order());
        Assert.Null(await silo.Grains.GetGrain<IAppServiceGrain>("bad").GetStatus());
    }

    [Fact]
    public async Task Silos_are_found_by_their_API_addresses() =>
        Assert.Single(await silo.Grains.GetGrain<IDirectoryGrain>(IDirectoryGrain.Key).GetApiAddresses());
}
