using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary>Commands about apps that exist.</summary>
internal static class AppCommands
{
    public static Command List(Shell shell)
    {
        var command = new Command("apps", "List the apps.");
        shell.Bind(command, async (call, cancel) =>
            call.Show(await call.Api.Get("v1/apps", AnswerJson.Default.AppArray, cancel), apps => WriteApps(call, apps)));
        return command;
    }

    public static Command Status(Shell shell)
    {
        var name = NameArgument();
        var command = new Command("status", "Show an app and its containers.") { name };
        shell.Bind(command, async (call, cancel) =>
        {
            var app = await call.Api.Get(PathOf(call.Arguments.GetValue(name)!), AnswerJson.Default.App, cancel);
            var containers = call.Json ? null : await call.Api.Get($"{PathOf(app.Value.Name)}/containers", AnswerJson.Default.ContainerArray, cancel);
            call.Show(app, value => WriteStatus(call, value, containers!.Value));
        });
        return command;
    }

    public static Command Scale(Shell shell)
    {
        var name = NameArgument();
        var replicas = new Argument<int?>("replicas")
        {
            Description = "Replicas over all regions of the app.", Arity = ArgumentArity.ExactlyOne, CustomParser = result => Whole.Parse(result, "replicas"),
        };
        var waiting = new WaitOptions("Wait until every replica is healthy.");
        var command = new Command("scale", "Change the number of an app's replicas.") { name, replicas };
        waiting.AddTo(command);
        shell.Bind(command, async (call, cancel) =>
        {
            var path = PathOf(call.Arguments.GetValue(name)!);
            var app = await call.Api.Get(path, AnswerJson.Default.App, cancel);
            if (RegionOption.HasNumbers(app.Value.Spec?.Regions))
                throw CommandException.Usage($"{app.Value.Name} has a number of replicas for each region ({RegionOption.Text(app.Value.Spec?.Regions)}): change those in its spec, "
                    + "with hosting deploy --region REGION=N, once for each.");
            var spec = JsonNode.Parse(app.Json)?["spec"]?.DeepClone() ?? throw new CommandException("The API answered an app without a spec.");
            spec["replicas"] = call.Arguments.GetValue(replicas);
            await Deployment.Put(call, app.Value.Name, spec, dryRun: false, waiting, cancel);
        });
        return command;
    }

    public static Command Delete(Shell shell)
    {
        var name = NameArgument();
        var waiting = new WaitOptions("Wait until its last container is gone.");
        var command = new Command("delete", "Delete an app: its containers are drained, its hostnames freed.") { name };
        waiting.AddTo(command);
        shell.Bind(command, async (call, cancel) =>
        {
            var path = PathOf(call.Arguments.GetValue(name)!);
            var answer = await call.Api.Send(HttpMethod.Delete, path, null, AnswerJson.Default.App, cancel);
            if (waiting.IsOn(call)) await waiting.Gone(call, answer.Value.Name, cancel);
            call.Show(answer, app => call.Say($"{app.Name} is {(waiting.IsOn(call) ? "deleted" : "being deleted")}."));
        });
        return command;
    }

    /// <summary>The path of an app; whatever the name holds, it stays one segment.</summary>
    public static string PathOf(string name) => $"v1/apps/{Uri.EscapeDataString(name)}";

    public static Argument<string> NameArgument() => new("name") { Description = "Name of the app." };

    private static void WriteApps(Invocation call, App[] apps)
    {
        var table = new Listing("name", "phase", "ready", "revision#", "image", "url", "message");
        foreach (var app in apps)
            table.Add(app.Name, Words.Phase(app.Phase), $"{app.Ready}/{app.Desired}", app.Revision, app.Spec?.Image, app.Url, app.Message);
        table.Write(call.Terminal, "There are no apps yet. Deploy one: hosting deploy NAME --image IMAGE --port PORT");
    }

    private static void WriteStatus(Invocation call, App app, Container[] containers)
    {
        var output = call.Terminal.Out;
        output.WriteLine($"{app.Name}: {app.Phase}, {app.Ready} of {app.Desired} ready, revision {app.Revision}");
        if (!string.IsNullOrEmpty(app.Message)) output.WriteLine($"  {Cell.Clean(app.Message)}");
        output.WriteLine($"  address    {app.Url}");
        if (app.Spec is { } spec)
        {
            output.WriteLine($"  image      {Cell.Clean(spec.Image ?? "")}");
            output.WriteLine($"  a replica  {spec.CpuMillis} thousandths of a core, {spec.MemoryMiB} MiB");
            output.WriteLine($"  regions    {RegionOption.Text(spec.Regions)}{(spec.Failover ? ", each other's replacement" : "")}");
            if (spec.Constraints is { Count: > 0 } labels) output.WriteLine($"  servers    {Words.Labels(labels)}");
            if (spec.Placement == "allOrNothing") output.WriteLine("  placement  all replicas of a region, or none");
            if (spec.Hostnames is { Count: > 0 } hostnames) output.WriteLine($"  hostnames  {string.Join(", ", hostnames)}");
        }
        output.WriteLine();
        PoolCommands.WriteContainers(call, containers, "It has no containers now.");
    }
}
