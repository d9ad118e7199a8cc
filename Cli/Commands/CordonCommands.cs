using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;

namespace Hosting.Cli.Commands;

/// <summary>Closes servers and VMs for new containers, empties them, and opens them.</summary>
internal static class CordonCommands
{
    public static Command Cordon(Shell shell) =>
        Create(shell, "cordon", "Let a server or a VM take no new containers. Those it has stay.", cordoned: true);

    public static Command Uncordon(Shell shell) =>
        Create(shell, "uncordon", "Let a server or a VM take new containers again. Ends a drain.", cordoned: false);

    public static Command Drain(Shell shell)
    {
        var target = TargetArgument();
        var waiting = new WaitOptions("Wait until it is empty.");
        var command = new Command("drain", "Move everything away from a server or a VM, replacement first, and let it take no new containers.") { target };
        waiting.AddTo(command);
        shell.Bind(command, async (call, cancel) =>
        {
            var found = await PoolTarget.Resolve(call, call.Arguments.GetValue(target)!, cancel);
            var answer = await found.Try(call, (path, type) => call.Api.Send(HttpMethod.Post, path + "/drain", null, type, cancel), cancel);
            if (waiting.IsOn(call)) answer = await Empty(call, waiting, found, cancel);
            call.Show(answer, machine => call.Say(Drained(machine)));
        });
        return command;
    }

    private static Command Create(Shell shell, string name, string description, bool cordoned)
    {
        var target = TargetArgument();
        var command = new Command(name, description) { target };
        shell.Bind(command, async (call, cancel) =>
        {
            var found = await PoolTarget.Resolve(call, call.Arguments.GetValue(target)!, cancel);
            var change = new JsonObject { ["cordoned"] = cordoned };
            var answer = await found.Try(call, (path, type) => call.Api.Send(HttpMethod.Patch, path, change, type, cancel), cancel);
            call.Show(answer, machine => call.Say(Sentence(machine)));
        });
        return command;
    }

    private static Argument<string> TargetArgument() => new("server")
    {
        Description = "region/name of a server or region/server/name of a VM; without the region where only one has it.",
    };

    private static async Task<Answer<Machine>> Empty(Invocation call, WaitOptions waiting, PoolTarget target, CancellationToken cancel)
    {
        var left = "";
        var empty = await waiting.Until(call, async () =>
        {
            var answer = await target.Try(call, (path, type) => call.Api.Get(path, type, cancel), cancel);
            if (!answer.Value.Draining) throw new CommandException($"{answer.Value.Id} is not being drained any more: somebody opened it.");
            left = Left(answer.Value);
            return (answer.Value.Containers == 0 ? answer : null, $"{answer.Value.Id}: {left}");
        }, cancel);
        return empty ?? throw new CommandException(
            $"{target.Id} is not empty after {waiting.Seconds(call)} s: {left}. It goes on; see: hosting containers, hosting events");
    }

    private static string Drained(Machine machine) => machine.Containers == 0
        ? $"{machine.Id} is empty and takes no new containers."
        : $"{machine.Id} is being drained: {Left(machine)}.";

    private static string Left(Machine machine) => machine.Containers == 1 ? "1 container is left" : $"{machine.Containers} containers are left";

    private static string Sentence(Machine machine) => machine switch
    {
        { Cordoned: true } => $"{machine.Id} takes no new containers.",
        { Admitting: true } or { Ready: true } => $"{machine.Id} takes new containers.",
        _ => $"{machine.Id} takes new containers again, but not now: {machine.NotAdmittingReason ?? machine.Reason ?? "it is not ready"}.",
    };
}
