using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Nodes;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting thresholds</c>: how busy a server may be, for a region or for one server.</summary>
internal sealed class ThresholdsCommand
{
    private readonly Argument<string> _target = new("target") { Description = "A region, or a server: region/name." };
    private readonly Option<double?> _admit = Share("--admit", "At or above it, for CPU or memory, a server takes no new container.");
    private readonly Option<double?> _evict = Share("--evict", "Above it containers leave.");
    private readonly Option<bool> _reset = new("--reset") { Description = "Back to the thresholds of the server's region." };

    private ThresholdsCommand()
    {
    }

    public static Command Create(Shell shell)
    {
        var thresholds = new ThresholdsCommand();
        var command = new Command("thresholds", "Change how busy servers may be: of a whole region, or of one server.")
        {
            thresholds._target, thresholds._admit, thresholds._evict, thresholds._reset,
        };
        shell.Bind(command, thresholds.Run);
        return command;
    }

    private Task Run(Invocation call, CancellationToken cancel)
    {
        var given = call.Arguments;
        var some = given.GetValue(_admit) is not null || given.GetValue(_evict) is not null;
        if (some == given.GetValue(_reset)) throw CommandException.Usage("Give --admit, --evict or both, or else --reset.");
        var target = given.GetValue(_target)!;
        return target.Contains('/', StringComparison.Ordinal) ? OfServer(call, target, cancel) : OfRegion(call, target, cancel);
    }

    private async Task OfServer(Invocation call, string id, CancellationToken cancel)
    {
        var change = call.Arguments.GetValue(_reset) ? null : Change(call);
        var body = new JsonObject { ["thresholds"] = change };
        var answer = await call.Api.Send(HttpMethod.Patch, new PoolTarget(id).Path, body, AnswerJson.Default.Server, cancel);
        call.Show(answer, server => call.Say(Sentence(server.Id, server.Thresholds, change is null ? ", as its region" : "")));
    }

    private async Task OfRegion(Invocation call, string name, CancellationToken cancel)
    {
        if (call.Arguments.GetValue(_reset)) throw CommandException.Usage("--reset is for servers: a region has no other thresholds to go back to.");
        var body = new JsonObject { ["thresholds"] = Change(call) };
        var answer = await call.Api.Send(HttpMethod.Patch, $"v1/regions/{Uri.EscapeDataString(name)}", body, AnswerJson.Default.Region, cancel);
        call.Show(answer, changed => call.Say(Sentence(changed.Name, changed.Thresholds, ", where a server has none of its own")));
    }

    /// <summary>What is given; the platform leaves the rest as it is.</summary>
    private JsonObject Change(Invocation call)
    {
        var change = new JsonObject();
        if (call.Arguments.GetValue(_admit) is { } admit) change["admit"] = admit;
        if (call.Arguments.GetValue(_evict) is { } evict) change["evict"] = evict;
        return change;
    }

    private static string Sentence(string target, Thresholds? thresholds, string where) =>
        $"{target} admits under {Words.Percent(thresholds?.Admit)} and evicts over {Words.Percent(thresholds?.Evict)}{where}.";

    private static Option<double?> Share(string name, string description) => new(name)
    {
        Description = description + " A share, such as 0.6.", HelpName = "SHARE", CustomParser = result => Parse(result, name),
    };

    private static double? Parse(ArgumentResult result, string name)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1) return share;
        result.AddError($"{name} must be a share over 0 and at most 1, such as 0.6, not '{text}'.");
        return null;
    }
}
