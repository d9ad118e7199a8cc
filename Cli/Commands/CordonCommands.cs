using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;

namespace Hosting.Cli.Commands;

/// <summary>Closes servers for new containers, and opens them.</summary>
internal static class CordonCommands
{
    public static Command Cordon(Shell shell) =>
        Create(shell, "cordon", "Let a server take no new containers. Those it has stay.", cordoned: true);

    public static Command Uncordon(Shell shell) =>
        Create(shell, "uncordon", "Let a server take new containers again.", cordoned: false);

    private static Command Create(Shell shell, string name, string description, bool cordoned)
    {
        var server = new Argument<string>("server") { Description = "The server: region/name, or its name where only one region has it." };
        var command = new Command(name, description) { server };
        shell.Bind(command, async (call, cancel) =>
        {
            var path = await PathOf(call, call.Arguments.GetValue(server)!, cancel);
            var change = new JsonObject { ["cordoned"] = cordoned };
            var answer = await call.Api.Send(HttpMethod.Patch, path, change, AnswerJson.Default.Server, cancel);
            call.Show(answer, changed => call.Say(Sentence(changed)));
        });
        return command;
    }

    private static string Sentence(Server server) => server switch
    {
        { Cordoned: true } => $"{server.Id} takes no new containers.",
        { Admitting: true } => $"{server.Id} takes new containers.",
        _ => $"{server.Id} takes new containers again, but not now: {server.NotAdmittingReason}.",
    };

    private static async Task<string> PathOf(Invocation call, string server, CancellationToken cancel)
    {
        var id = server.Contains('/', StringComparison.Ordinal) ? server : await IdOf(call, server, cancel);
        return PathOf(id);
    }

    /// <summary>The path of a server given by its id, region/name.</summary>
    public static string PathOf(string id) => $"v1/servers/{string.Join('/', id.Split('/', 2).Select(Uri.EscapeDataString))}";

    private static async Task<string> IdOf(Invocation call, string name, CancellationToken cancel)
    {
        var servers = await call.Api.Get("v1/servers", AnswerJson.Default.ServerArray, cancel);
        var ids = servers.Value.Select(s => s.Id).Where(id => id.EndsWith("/" + name, StringComparison.Ordinal)).ToArray();
        return ids.Length switch
        {
            1 => ids[0],
            0 => throw new CommandException($"There is no server '{name}'. See: hosting servers"),
            _ => throw CommandException.Usage($"'{name}' is in several regions: say which of {string.Join(", ", ids)}."),
        };
    }
}
