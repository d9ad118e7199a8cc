using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting logs NAME</c>: what an app's containers wrote, newest last; with -f, what they write.</summary>
internal static class LogsCommand
{
    private const int MostTail = 10_000;

    public static Command Create(Shell shell)
    {
        var name = AppCommands.NameArgument();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on showing what is written, until Ctrl-C." };
        var tail = Whole.Option("--tail", $"How many of the newest lines, 0 to {MostTail} (100; with --since all of them).", "N");
        var since = new Option<string?>("--since") { Description = "Only later ones: 30s, 10m, 2h, 1d ago, or a time such as 2026-01-31T12:00:00Z.", HelpName = "D" };
        var container = new Option<string?>("--container") { Description = "Only of this container.", HelpName = "ID" };
        var times = new Option<bool>("--timestamps", "-t") { Description = "Show when each line was written." };
        var command = new Command("logs", "Show what the containers of an app write, newest last.") { name, follow, tail, since, container, times };
        shell.Bind(command, (call, cancel) =>
        {
            var given = call.Arguments;
            var path = Query.On($"{AppCommands.PathOf(given.GetValue(name)!)}/logs",
                ("tail", given.GetValue(tail)?.ToString(CultureInfo.InvariantCulture)), ("since", given.GetValue(since)),
                ("container", given.GetValue(container)), ("follow", given.GetValue(follow) ? "true" : null));
            var output = new LogOutput(call.Terminal, given.GetValue(times));
            return given.GetValue(follow) ? Follow(call, path, output, cancel) : List(call, path, output, cancel);
        });
        return command;
    }

    private static async Task List(Invocation call, string path, LogOutput output, CancellationToken cancel)
    {
        var answer = await call.Api.Get(path, AnswerJson.Default.LogLineArray, cancel);
        if (answer.Incomplete is { } lack) call.Terminal.Error.WriteLine($"note: {Cell.Clean(lack)}");
        if (call.Json)
        {
            // A line of JSON for each line, as when they are followed.
            using var lines = JsonDocument.Parse(answer.Json);
            foreach (var line in lines.RootElement.EnumerateArray()) call.Terminal.Out.WriteLine(line.GetRawText());
            return;
        }
        foreach (var line in answer.Value) output.Write(line);
    }

    private static async Task Follow(Invocation call, string path, LogOutput output, CancellationToken cancel)
    {
        var stream = new EventReader(call.Api, path, call.Time);
        try
        {
            await foreach (var item in stream.Read(reason => call.Terminal.Error.WriteLine($"note: {reason}"), cancel))
            {
                if (item.EventType is "note" or "end")
                    call.Terminal.Error.WriteLine($"note: {Cell.Clean(JsonSerializer.Deserialize(item.Data, AnswerJson.Default.LogNote)!.Message)}");
                else if (call.Json)
                    call.Terminal.Out.WriteLine(item.Data);
                else
                    output.Write(JsonSerializer.Deserialize(item.Data, AnswerJson.Default.LogLine)!);
                await call.Terminal.Out.FlushAsync(cancel);
                if (item.EventType is "end") return;
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Ctrl-C is how following ends.
        }
    }
}
