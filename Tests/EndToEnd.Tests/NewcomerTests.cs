using System.Diagnostics;
using System.Net;

namespace Hosting.EndToEnd.Tests;

/// <summary>What the README promises, in its order.</summary>
public class NewcomerTests(Stack stack)
{
    [Fact]
    public async Task Hello_answers_after_up()
    {
        using var answer = await stack.GetApp("hello");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("Hello from hello-", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Up_again_is_quick_and_changes_nothing()
    {
        var before = await stack.ProcessOf("silo-1");
        var begun = Stopwatch.GetTimestamp();
        var (exitCode, output, error) = await stack.Run("infra/up");
        Assert.True(exitCode == 0, output + error);
        Assert.Equal(before, await stack.ProcessOf("silo-1"));
        TestContext.Current.SendDiagnosticMessage($"up again took {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Three_replicas_answer_in_turn_and_the_machine_agrees_with_the_tables()
    {
        await stack.Hosting("deploy", "shop", "--image", "hosting/hello:1", "--port", "8080", "--replicas", "3", "--wait");
        var ids = await stack.Containers("shop");
        Assert.Equal(3, ids.Count);

        var answered = new HashSet<string>();
        for (var i = 0; i < 60 && answered.Count < 3; i++)
        {
            using var answer = await stack.GetApp("shop");
            answered.Add((await answer.Content.ReadAsStringAsync()).Trim().Replace("Hello from ", ""));
        }
        Assert.Equal(ids, answered.Order(StringComparer.Ordinal));

        var table = await stack.Hosting("containers");
        Assert.All(ids, id => Assert.Contains(id, table));
        Assert.Contains("eu-1/srv-01", await stack.Hosting("servers"));
        Assert.Contains("vm-2", await stack.Hosting("vms"));
        Assert.Contains("shop", await stack.Hosting("apps"));
        Assert.Contains("was placed on", await stack.Hosting("events"));
        Assert.All(ids, id => Assert.True(RunsInLowestClass(id), $"{id} has no process in the lowest CPU class"));
    }

    [Fact]
    public async Task A_demand_that_no_VM_can_hold_is_explained_and_placed_when_it_shrinks()
    {
        await stack.Put("giant", new { image = "hosting/hello:1", port = 8080, cpuMillis = 900_000 });
        await Stack.Eventually(async () => (string?)(await stack.Get("apps/giant"))["phase"] == "Unplaceable", "the app is unplaceable");
        Assert.Contains("lack free CPU", (string?)(await stack.Get("apps/giant"))["message"]);
        await stack.Put("giant", new { image = "hosting/hello:1", port = 8080, cpuMillis = 10 });
        await Stack.Eventually(async () => (string?)(await stack.Get("apps/giant"))["phase"] == "Running", "the app runs");
        await stack.Hosting("delete", "giant", "--wait");
    }

    [Fact]
    public async Task An_unknown_image_degrades_the_app_with_the_engines_reason()
    {
        await stack.Put("ghost", new { image = "hosting/nowhere:1", port = 8080, cpuMillis = 10 });
        await Stack.Eventually(async () =>
        {
            var status = await stack.Get("apps/ghost");
            return (string?)status["phase"] == "Degraded" && ((string?)status["message"])!.Contains("hosting/nowhere:1");
        }, "the app is degraded and names the image");
        await stack.Hosting("delete", "ghost", "--wait");
    }

    // The container's init process: its environment names it, and its control group says under which weight it runs.
    private static bool RunsInLowestClass(string container)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "environ")).Contains($"HOSTNAME={container}\0", StringComparison.Ordinal))
                    return File.ReadAllText(Path.Combine(process, "oom_score_adj")).Trim() == "1000"
                        && File.ReadAllText(Path.Combine(process, "cgroup")).Contains("idle/", StringComparison.Ordinal);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
            }
        }
        return false;
    }
}
