using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting explain</c>: where a demand would go, and what excludes the rest.</summary>
internal static class ExplainCommand
{
    public static Command Create(Shell shell)
    {
        var cpu = Whole.Option("--cpu", "CPU in thousandths of a core.", "MILLIS");
        var memory = Whole.Option("--memory", "Memory in MiB.", "MIB");
        cpu.Required = memory.Required = true;
        var regions = new Option<string[]>("--region") { Description = "Region to ask; once for each. Otherwise all.", HelpName = "REGION" };
        var app = new Option<string?>("--app") { Description = "App whose replicas count for spreading.", HelpName = "NAME" };
        var spread = PlacementOptions.Spread();
        var constraints = PlacementOptions.Constraints();
        var best = Whole.Option("--best", "Candidates to list for each region (20).", "N");
        var command = new Command("explain", "Show which VMs would take a demand, and why others would not.") 
        {
            cpu, memory, regions, app, spread, constraints, best,
        };
        shell.Bind(command, async (call, cancel) =>
        {
            var given = call.Arguments;
            var body = new JsonObject { ["cpuMillis"] = given.GetValue(cpu), ["memoryMiB"] = given.GetValue(memory) };
            if (given.GetValue(regions) is { Length: > 0 } names) body["regions"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
            if (given.GetValue(app) is { } name) body["app"] = name;
            if (given.GetValue(spread) is { } how) body["spread"] = how;
            Pairs.Set(body, "constraints", "--constraint", given.GetValue(constraints));
            if (given.GetValue(best) is { } most) body["best"] = most;
            var answer = await call.Api.Send(HttpMethod.Post, "v1/placements/explain", body, AnswerJson.Default.ExplanationArray, cancel);
            call.Show(answer, explanations => Write(call, explanations));
        });
        return command;
    }

    private static Cell Rank(Candidate candidate) =>
        candidate.Rank is { } rank ? new($"{rank}", Tone.Good) : new("-", Tone.Bad);

    private static void Write(Invocation call, Explanation[] explanations)
    {
        foreach (var e in explanations)
        {
            var excluded = string.Join(", ", (e.Excluded ?? []).Select(rule => $"{rule.Count} by {rule.Rule}"));
            call.Say($"{e.Region}: {e.Matching} of {e.Vms} VMs match{(excluded.Length > 0 ? "; excluded: " + excluded : "")}");
            var table = new Listing(
                "rank#", "vm", "free cpu millis#", "free memory mib#", "projected cpu#", "projected memory#", "admit under#", "replicas#", "in vm#", "reason");
            foreach (var c in e.Candidates ?? [])
                table.Add(Rank(c), $"{e.Region}/{c.Server}/{c.Vm}", c.FreeCpuMillis, c.FreeMemoryMiB,
                    Words.Percent(c.ProjectedCpu), Words.Percent(c.ProjectedMemory), Words.Percent(c.Admit), c.Replicas, c.ReplicasInVm, c.Reason);
            table.Write(call.Terminal, "No VM to list.");
        }
    }
}
