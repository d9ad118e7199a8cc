using System.Globalization;

namespace Hosting.EndToEnd.Tests;

/// <summary>Every process is killed alone, under a trickle of requests: nothing is lost, doubled or forgotten.</summary>
public class RestartTests(Stack stack)
{
    private const string App = "steady";

    [Theory]
    [InlineData("silo-1")]
    [InlineData("agent-1")]
    [InlineData("postgres")]
    public async Task No_request_fails_while_the_control_plane_loses(string process)
    {
        var before = await Deploy();
        await using var trickle = new Trickle(stack, App);
        await trickle.More(20);
        var old = await stack.ProcessOf(process);
        await Stack.Kill(old);
        await Stack.Eventually(async () => await stack.ProcessOf(process) != old, $"{process} is started again");
        await trickle.More(20);
        await AllIsWellAgain(before);
        await trickle.More(20);
        Assert.Empty(trickle.Failures);
    }

    [Fact]
    public async Task A_killed_gateway_comes_back_by_itself()
    {
        var before = await Deploy();
        var old = await stack.ProcessOf("gateway-1");
        await Stack.Kill(old);
        await Stack.Eventually(async () => (await stack.GetApp(App)).IsSuccessStatusCode, "the app answers again");
        Assert.NotEqual(old, await stack.ProcessOf("gateway-1"));
        await AllIsWellAgain(before);
    }

    [Fact]
    public async Task A_killed_engine_takes_its_containers_along_and_brings_them_back()
    {
        var before = await Deploy();
        await using var trickle = new Trickle(stack, App);
        await trickle.More(20);
        foreach (var vm in Directory.GetDirectories(Path.Combine(stack.Home, "agent-1", "vms")).Take(1))
            await Stack.Kill(int.Parse(await File.ReadAllTextAsync(Path.Combine(vm, "engine.pid")), CultureInfo.InvariantCulture));
        await trickle.More(20);
        await AllIsWellAgain(before);
        // Only what was under way in the VM at that moment may be lost, and what could be repeated was.
        Assert.True(trickle.Failures.Count <= 2, string.Join('\n', trickle.Failures));
    }

    private async Task<List<string>> Deploy()
    {
        await stack.Hosting("deploy", App, "--image", "hosting/hello:1", "--port", "8080", "--replicas", "3", "--cpu", "20", "--memory", "32", "--wait");
        return await stack.Containers(App);
    }

    /// <summary>The same containers run, and the platform takes new work.</summary>
    private async Task AllIsWellAgain(List<string> before)
    {
        await Stack.Eventually(async () => (int)(await stack.Get($"apps/{App}"))["ready"]! == 3, "three replicas are healthy");
        await Stack.Eventually(async () => before.SequenceEqual(await stack.Containers(App)), "the same containers are on record");
        await stack.Hosting("deploy", "after", "--image", "hosting/hello:1", "--port", "8080", "--cpu", "10", "--memory", "16", "--wait");
        using var answer = await stack.GetApp("after");
        Assert.True(answer.IsSuccessStatusCode);
        await stack.Hosting("delete", "after", "--wait");
        Assert.Equal(before, await stack.Containers(App));
    }
}
