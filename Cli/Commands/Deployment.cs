using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary>Sends an app's spec and says what came of it.</summary>
internal static class Deployment
{
    public static async Task Put(Invocation call, string name, JsonNode spec, bool dryRun, WaitOptions waiting, CancellationToken cancel)
    {
        var path = AppCommands.PathOf(name) + (dryRun ? "?dryRun=true" : "");
        var answer = await call.Api.Send(HttpMethod.Put, path, spec, AnswerJson.Default.App, cancel);
        if (dryRun)
        {
            call.Show(answer, app => call.Say(
                $"{app.Name} would be {answer.Outcome ?? "accepted"}; nothing was changed. {Cell.Clean(app.Message ?? "")}".TrimEnd()));
            return;
        }
        await Show(call, answer, waiting, cancel);
    }

    /// <summary>Says what the API answered, or with --wait what became of it.</summary>
    public static async Task Show(Invocation call, Answer<App> answer, WaitOptions waiting, CancellationToken cancel)
    {
        if (waiting.IsOn(call))
        {
            var running = await waiting.Running(call, answer.Value, cancel);
            call.Show(running, app => call.Say($"{app.Name} is {app.Phase}: {app.Ready} of {app.Desired} ready, revision {app.Revision}, {app.Url}"));
            return;
        }
        call.Show(answer, app => call.Say($"{app.Name} is {answer.Outcome ?? "accepted"}: revision {app.Revision}, {app.Desired} wanted, {app.Url}"));
    }
}
