using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting policy</c>: shows or changes when and how fast containers leave the servers of a region.</summary>
internal static class PolicyCommand
{
    public static Command Create(Shell shell)
    {
        var region = new Argument<string>("region") { Description = "Name of the region." };
        (string Field, Option<int?> Option)[] numbers =
        [
            ("evictAfterSeconds", Whole.Option("--evict-after", "Seconds a server may be over it before containers leave, 1 to 3600.", "SECONDS")),
            ("lostAfterSeconds", Whole.Option("--lost-after", "Seconds of silence until containers are replaced elsewhere, 4 to 86400.", "SECONDS")),
            ("cooldownSeconds", Whole.Option("--cooldown", "Seconds for which an app does not come back to a server it had to leave, 0 to 86400.", "SECONDS")),
            ("movesAtOnce", Whole.Option("--moves-at-once", "Containers that may be leaving under pressure at once, 1 to 10000.", "N")),
            ("movesPerMinute", Whole.Option("--moves-per-minute", "Containers that may begin to leave under pressure in a minute, 1 to 100000.", "N")),
        ];
        var command = new Command("policy", "Show, or change, when containers leave the servers of a region.") { region };
        foreach (var (_, option) in numbers) command.Options.Add(option);
        shell.Bind(command, async (call, cancel) =>
        {
            var change = Change(call, numbers);
            var name = call.Arguments.GetValue(region)!;
            if (change.Count == 0) await Show(call, name, cancel);
            else call.Show(await Patch(call, name, change, cancel), changed => Write(call, changed));
        });
        return command;
    }

    private static JsonObject Change(Invocation call, (string Field, Option<int?> Option)[] numbers)
    {
        var change = new JsonObject();
        foreach (var (field, option) in numbers)
            if (call.Arguments.GetValue(option) is { } number) change[field] = number;
        return change;
    }

    private static Task<Answer<Region>> Patch(Invocation call, string name, JsonObject change, CancellationToken cancel) =>
        call.Api.Send(HttpMethod.Patch, $"v1/regions/{Uri.EscapeDataString(name)}", change, AnswerJson.Default.Region, cancel);

    private static async Task Show(Invocation call, string name, CancellationToken cancel)
    {
        var regions = await call.Api.Get("v1/regions", AnswerJson.Default.RegionArray, cancel);
        var at = Array.FindIndex(regions.Value, r => r.Name == name);
        if (at < 0) throw new CommandException($"There is no region '{name}'. See: hosting regions");
        var json = JsonNode.Parse(regions.Json)![at]!.ToJsonString();
        call.Show(new Answer<Region>(json, regions.Value[at], null, null), region => Write(call, region));
    }

    private static void Write(Invocation call, Region region)
    {
        if (region.Reason is not null) throw new CommandException($"{region.Name}: {region.Reason}");
        var output = call.Terminal.Out;
        output.WriteLine(region.Name);
        output.WriteLine($"  takes containers under       {Words.Percent(region.Thresholds?.Admit)} of a server's CPU and memory");
        output.WriteLine($"  containers leave over        {Words.Percent(region.Thresholds?.Evict)}, after {region.EvictAfterSeconds} s");
        output.WriteLine($"  and do not come back for     {region.CooldownSeconds} s");
        output.WriteLine($"  leaving at once, at most     {region.MovesAtOnce} containers, {region.MovesPerMinute} a minute");
        output.WriteLine($"  a silent server is lost after {region.LostAfterSeconds} s");
    }
}
