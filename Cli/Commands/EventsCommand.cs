using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting events</c>: what happened, newest last; with -f, what happens.</summary>
internal static class EventsCommand
{
    public static Command Create(Shell shell)
    {
        var app = new Option<string?>("--app") { Description = "Only of this app.", HelpName = "NAME" };
        var region = new Option<string?>("--region") { Description = "Only of this region.", HelpName = "REGION" };
        var server = new Option<string?>("--server") { Description = "Only of this server: region/name.", HelpName = "SERVER" };
        var limit = Whole.Option("--limit", "How many of the newest (100).", "N");
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on showing what happens, until Ctrl-C." };
        var command = new Command("events", "Show what happened in the platform, newest last.") { app, region, server, limit, follow };
        shell.Bind(command, (call, cancel) =>
        {
            var given = call.Arguments;
            var path = Query.On("v1/events", ("app", given.GetValue(app)), ("region", given.GetValue(region)), ("server", given.GetValue(server)),
                ("limit", given.GetValue(limit)?.ToString(CultureInfo.InvariantCulture)), ("follow", given.GetValue(follow) ? "true" : null));
            return given.GetValue(follow) ? Follow(call, path, cancel) : List(call, path, cancel);
        });
        return command;
    }

    private static async Task List(Invocation call, string path, CancellationToken cancel)
    {
        var answer = await call.Api.Get(path, AnswerJson.Default.EventArray, cancel);
        var now = call.Time.GetUtcNow();
        call.Show(answer, events =>
        {
            var table = new Listing("age#", "kind", "about", "message");
            foreach (var e in events) table.Add(Words.Age(e.At, now), e.Kind, About(e), e.Message);
            table.Write(call.Terminal, "Nothing happened yet.");
        });
    }

    private static async Task Follow(Invocation call, string path, CancellationToken cancel)
    {
        var stream = new EventReader(call.Api, path, call.Time);
        await foreach (var item in stream.Read(reason => call.Terminal.Error.WriteLine($"note: {reason}"), cancel))
        {
            var json = item.Data;
            // A line for each event, so that a program can read them as they come.
            call.Terminal.Out.WriteLine(call.Json ? json : Line(JsonSerializer.Deserialize(json, AnswerJson.Default.Event)!));
            await call.Terminal.Out.FlushAsync(cancel);
        }
    }

    private static string Line(Event e) => Cell.Clean($"{e.At.UtcDateTime:HH:mm:ss}Z  {e.Kind}  {About(e)}  {e.Message}");

    private static string About(Event e) =>
        e.Container ?? e.App ?? (e.Server is null ? e.Region : $"{e.Region}/{e.Server}") ?? "";
}
