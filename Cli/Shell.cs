using System.CommandLine;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli;

/// <summary>What every command shares: the options that hold everywhere, and how errors become messages and exit codes.</summary>
internal sealed class Shell(Terminal terminal, TimeProvider time)
{
    /// <summary>Environment variable with the address of the API.</summary>
    public const string AddressVariable = "HOSTING_API";

    private const string DefaultAddress = "http://localhost:8080";

    public Option<string> Api { get; } = new("--api")
    {
        Description = $"Address of the HTTP API. Otherwise ${AddressVariable}, otherwise {DefaultAddress}.",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string> Output { get; } = CreateOutput();

    /// <summary>Makes a command do something.</summary>
    public void Bind(Command command, Func<Invocation, CancellationToken, Task> action) =>
        command.SetAction((parsed, cancel) => Run(parsed, action, cancel));

    private async Task<int> Run(ParseResult parsed, Func<Invocation, CancellationToken, Task> action, CancellationToken cancel)
    {
        try
        {
            using var api = new ApiClient(Address(parsed));
            await action(new Invocation(parsed, api, terminal, time, parsed.GetValue(Output) == "json"), cancel);
            return ExitCode.Done;
        }
        catch (ApiException e)
        {
            ErrorText.Write(terminal, e.Problem);
            return e.Problem.Status == 400 ? ExitCode.WrongUsage : ExitCode.Failed;
        }
        catch (CommandException e)
        {
            ErrorText.Write(terminal, e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ExitCode.Failed;
        }
    }

    private Uri Address(ParseResult parsed)
    {
        var text = parsed.GetValue(Api) ?? terminal.Environment(AddressVariable);
        if (string.IsNullOrWhiteSpace(text)) text = DefaultAddress;
        if (Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address) && address.Scheme is "http" or "https") return address;
        throw CommandException.Usage($"'{text}' is not the address of an API: it should look like {DefaultAddress} (--api or ${AddressVariable}).");
    }

    private static Option<string> CreateOutput()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "table for people, json for programs: what the API answered.",
            HelpName = "table|json",
            DefaultValueFactory = _ => "table",
            Recursive = true,
        };
        option.AcceptOnlyFromAmong("table", "json");
        return option;
    }
}

/// <summary>One run of a command.</summary>
internal sealed record Invocation(ParseResult Arguments, ApiClient Api, Terminal Terminal, TimeProvider Time, bool Json)
{
    /// <summary>Shows an answer: as it came, or as the text that <paramref name="show"/> makes of it.</summary>
    public void Show<T>(Answer<T> answer, Action<T> show)
    {
        if (answer.Incomplete is { } lack) Terminal.Error.WriteLine($"note: {lack}");
        if (Json) Terminal.Out.WriteLine(JsonText.Indented(answer.Json));
        else show(answer.Value);
    }

    /// <summary>A sentence about what was done; programs that asked for JSON do not need it.</summary>
    public void Say(string sentence)
    {
        if (!Json) Terminal.Out.WriteLine(sentence);
    }
}
