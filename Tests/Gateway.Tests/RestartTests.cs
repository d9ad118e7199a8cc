using Hosting.Support;

namespace Hosting.Gateway.Tests;

public sealed class RestartTests(Platform platform)
{
    private const string Region = "eu-1";
    private readonly Script _script = platform.Script;

    [Fact]
    public async Task A_restart_without_silos_serves_what_was_known()
    {
        await using var backend = await Backend.Start("disk-1");
        var app = _script.App("disk");
        app.Put(Region, backend.Endpoint);
        app.SetHostnames("disk.example.com");
        _script.Owners["disk.example.com"] = "disk";
        using var folder = new TempFolder();
        var state = folder.Path;
        await using (var first = await TestGateway.Start(platform, state: state))
        {
            Assert.Equal("disk-1", (await first.Ask("disk")).Body);
            Assert.Equal("disk-1", (await first.Ask("disk.example.com")).Body);
        }

        // The connector of the process, with a PostgreSQL that is not there.
        await using var second = await TestGateway.Start(connect: null, state: state);

        Assert.Equal("disk-1", (await second.Ask("disk")).Body);
        Assert.Equal("disk-1", (await second.Ask("disk.example.com")).Body);
    }

    [Fact]
    public async Task A_restart_learns_what_changed_meanwhile()
    {
        await using var one = await Backend.Start("stale-1");
        await using var two = await Backend.Start("stale-2");
        var app = _script.App("stale");
        app.Put(Region, one.Endpoint);
        using var folder = new TempFolder();
        var state = folder.Path;
        await using (var first = await TestGateway.Start(platform, state: state))
            Assert.Equal("stale-1", (await first.Ask("stale")).Body);
        app.Put(Region, two.Endpoint);

        await using var second = await TestGateway.Start(platform, state: state);

        Assert.Equal("stale-2", (await Eventually.Get(() => second.Ask("stale"), got => got.Body == "stale-2")).Body);
    }

    [Theory]
    [InlineData("{ this is not JSON")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"format":99,"api":[],"apps":[]}""")]
    [InlineData("""{"format":1,"api":[],"apps":[{"route":null,"hosts":null}]}""")]
    public async Task A_broken_file_is_ignored_and_replaced(string content)
    {
        await using var backend = await Backend.Start("broken-1");
        _script.App("broken").Put(Region, backend.Endpoint);
        using var folder = new TempFolder();
        var state = folder.Path;
        var file = Path.Combine(state, "routes.json");
        await File.WriteAllTextAsync(file, content, TestContext.Current.CancellationToken);

        await using (var gateway = await TestGateway.Start(platform, state: state))
            Assert.Equal("broken-1", (await gateway.Ask("broken")).Body);

        Assert.Contains("broken-1", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Routes_reach_the_disk_while_the_gateway_runs()
    {
        await using var backend = await Backend.Start("saved-1");
        _script.App("saved").Put(Region, backend.Endpoint);
        await using var gateway = await TestGateway.Start(platform);
        await gateway.Ask("saved");

        var file = Path.Combine(gateway.Options.StateDirectory, "routes.json");
        var saved = await Eventually.Get(() => Task.FromResult(File.Exists(file) ? File.ReadAllText(file) : ""), text => text.Contains("saved-1", StringComparison.Ordinal));

        Assert.Contains("saved-1", saved);
    }
}
