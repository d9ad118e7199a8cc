using System.CommandLine;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary>--wait and --timeout, and the waiting itself.</summary>
internal sealed class WaitOptions
{
    private const int DefaultSeconds = 60;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly Option<bool> _wait;
    private readonly Option<int?> _timeout = Whole.Option("--timeout", $"Seconds to wait at most, 1 to 86400 ({DefaultSeconds}).", "SECONDS");

    public WaitOptions(string description)
    {
        _wait = new("--wait") { Description = description };
        _timeout.Validators.Add(result =>
        {
            if (result.GetValue(_timeout) is < 1 or > 86_400) result.AddError("--timeout must be 1 to 86400 seconds.");
        });
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_wait);
        command.Options.Add(_timeout);
    }

    public bool IsOn(Invocation call) => call.Arguments.GetValue(_wait);

    /// <summary>Waits until the app runs as it was just deployed.</summary>
    /// <exception cref="CommandException">It does not within the time.</exception>
    public async Task<Answer<App>> Running(Invocation call, App deployed, CancellationToken cancel)
    {
        var last = deployed;
        var running = await Until(call, async () =>
        {
            var answer = await call.Api.Get(AppCommands.PathOf(deployed.Name), AnswerJson.Default.App, cancel);
            last = answer.Value;
            if (last.Phase == "Deleting") throw new CommandException($"{deployed.Name} is being deleted by somebody else.");
            if (last.Serving is not null && last.Revision == deployed.Revision)
                throw new CommandException($"{deployed.Name}: {Cell.Clean(last.Message ?? "its rollout was stopped").TrimEnd('.')}. See: hosting status {deployed.Name}");
            return (last.Phase == "Running" && last.Revision >= deployed.Revision ? answer : null, Describe(last));
        }, cancel);
        return running ?? throw new CommandException(
            $"{deployed.Name} is not running after {Seconds(call)} s: {Describe(last)}. It goes on trying; see: hosting status {deployed.Name}");
    }

    /// <summary>Waits until the app is no more.</summary>
    /// <exception cref="CommandException">It is still there after the time.</exception>
    public async Task Gone(Invocation call, string name, CancellationToken cancel)
    {
        var last = "";
        var gone = await Until(call, async () =>
        {
            try
            {
                last = Describe((await call.Api.Get(AppCommands.PathOf(name), AnswerJson.Default.App, cancel)).Value);
                return (null, last);
            }
            catch (ApiException e) when (e.Problem.Status == 404)
            {
                return ("gone", "gone");
            }
        }, cancel);
        if (gone is null) throw new CommandException($"{name} is not gone after {Seconds(call)} s: {last}. See: hosting status {name}");
    }

    /// <summary>Asks until there is a result, showing what is going on; null when the time is over.</summary>
    public async Task<T?> Until<T>(Invocation call, Func<Task<(T? Result, string Progress)>> ask, CancellationToken cancel)
        where T : class
    {
        using var progress = new Progress(call.Terminal);
        var started = call.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var (result, now) = await ask();
                if (result is not null) return result;
                progress.Show(now);
            }
            catch (Exception e) when (e is NoAnswerException or ApiException { IsPassing: true })
            {
                progress.Show(e.Message);
            }
            if (call.Time.GetElapsedTime(started).TotalSeconds >= Seconds(call)) return null;
            await Task.Delay(Poll, call.Time, cancel);
        }
    }

    public int Seconds(Invocation call) => call.Arguments.GetValue(_timeout) ?? DefaultSeconds;

    private static string Describe(App app) =>
        $"{app.Phase}, {app.Ready} of {app.Desired} ready{(string.IsNullOrEmpty(app.Message) ? "" : ", " + Cell.Clean(app.Message).TrimEnd('.'))}";
}
