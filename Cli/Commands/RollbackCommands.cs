using System.CommandLine;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting rollback</c> and <c>hosting revisions</c>.</summary>
internal static class RollbackCommands
{
    public static Command Rollback(Shell shell)
    {
        var name = AppCommands.NameArgument();
        var to = Whole.Option("--to", "Revision to go back to; see: hosting revisions NAME. Otherwise the one before, or after a stopped rollout the one that serves.", "REVISION");
        var waiting = new WaitOptions("Wait until every replica is healthy.");
        var command = new Command("rollback", "Go back to what an earlier revision ran, with as many replicas as now.") { name };
        command.Options.Add(to);
        waiting.AddTo(command);
        shell.Bind(command, async (call, cancel) =>
        {
            var path = AppCommands.PathOf(call.Arguments.GetValue(name)!);
            // A request that names the revision can be repeated without harm, when its answer is lost.
            var target = call.Arguments.GetValue(to) ?? await DefaultTarget(call, path, cancel);
            var body = target is { } revision ? new JsonObject { ["revision"] = revision } : new JsonObject();
            var answer = await call.Api.Send(HttpMethod.Post, $"{path}/rollback", body, AnswerJson.Default.App, cancel);
            await Deployment.Show(call, answer, waiting, cancel);
        });
        return command;
    }

    public static Command Revisions(Shell shell)
    {
        var name = AppCommands.NameArgument();
        var command = new Command("revisions", "List the revisions an app can be rolled back to.") { name };
        shell.Bind(command, async (call, cancel) => call.Show(
            await call.Api.Get($"{AppCommands.PathOf(call.Arguments.GetValue(name)!)}/revisions", AnswerJson.Default.RevisionArray, cancel),
            revisions => Write(call, revisions)));
        return command;
    }

    private static async Task<int?> DefaultTarget(Invocation call, string path, CancellationToken cancel)
    {
        var revisions = await call.Api.Get($"{path}/revisions", AnswerJson.Default.RevisionArray, cancel);
        return revisions.Value.FirstOrDefault(r => r.RollbackTarget)?.Number;
    }

    private static void Write(Invocation call, Revision[] revisions)
    {
        var table = new Listing("revision#", "image", "cpu millis#", "memory mib#", "age", "note");
        foreach (var revision in revisions)
            table.Add(
                revision.Number, revision.Spec?.Image, revision.Spec?.CpuMillis ?? 0, revision.Spec?.MemoryMiB ?? 0,
                Words.Age(revision.CreatedAt, call.Time.GetUtcNow()), Note(revision));
        table.Write(call.Terminal, "It has no revisions.");
    }

    private static string Note(Revision revision) => string.Join(", ", new[]
    {
        revision.Current ? "the newest" : null,
        revision.RollbackTarget ? "a rollback goes here" : null,
        revision.RollbackOf is { } origin ? $"as {origin}" : null,
    }.OfType<string>());
}
