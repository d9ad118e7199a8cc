using System.CommandLine;
using System.Globalization;
using Hosting.Cli.Api;
using Hosting.Cli.Output;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting servers check</c>: whether a server's primary feels its VMs, measured there.</summary>
internal static class CheckCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>The platform gives a check up earlier.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Command Create(Shell shell)
    {
        var server = new Argument<string>("server") { Description = "region/name of a server; without the region where only one has it." };
        var command = new Command("check",
            "Measure for about 15 s whether a server's primary feels its VMs: with the containers held to nearly no CPU, and as they are, in turn. "
            + "Ends with 0 when it does not feel them, with 1 when it does or that can not be told.")
        {
            server,
        };
        shell.Bind(command, async (call, cancel) =>
        {
            var target = await PoolTarget.Resolve(call, call.Arguments.GetValue(server)!, cancel);
            if (target.Id.Count(c => c == '/') != 1) throw CommandException.Usage($"'{target.Id}' is a VM: give a server, such as eu-1/srv-1.");
            await call.Api.Send(HttpMethod.Post, target.Path + "/check", null, AnswerJson.Default.Check, cancel);
            var answer = await Finished(call, target, cancel);
            call.Show(answer, check => Write(call, check));
            if (answer.Value.Verdict != "notFelt") throw new CommandException($"{target.Id}: {Sentence(answer.Value)}");
            call.Say($"{target.Id}: {Sentence(answer.Value)}");
        });
        return command;
    }

    private static async Task<Answer<Check>> Finished(Invocation call, PoolTarget target, CancellationToken cancel)
    {
        using var progress = new Progress(call.Terminal);
        var started = call.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var answer = await call.Api.Get(target.Path + "/check", AnswerJson.Default.Check, cancel);
                if (answer.Value.State != "running") return answer;
                progress.Show($"{target.Id} is being measured");
            }
            catch (Exception e) when (e is NoAnswerException or ApiException { IsPassing: true })
            {
                progress.Show(e.Message);
            }
            if (call.Time.GetElapsedTime(started) > Patience)
                throw new CommandException($"The check of {target.Id} is not over after {Patience.TotalSeconds:0} s. See: hosting events");
            await Task.Delay(Poll, call.Time, cancel);
        }
    }

    private static void Write(Invocation call, Check check)
    {
        if (check.Verdict is null) return;
        var table = new Listing("figure", "containers held#", "as they are#", "more#", "noise#", "allowed#", "felt");
        Add(table, "primary waits for a CPU, share of its time", check.PrimaryWait, share => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + "%");
        Add(table, "wake-up comes late, 99 of 100 at most", check.WakeupMillis, millis => millis.ToString("0.000", CultureInfo.InvariantCulture) + " ms");
        table.Write(call.Terminal, "");
        call.Say($"Containers used {check.ContainersCpuMillis} m CPU as they are.");
    }

    private static void Add(Listing table, string what, CheckFigure? figure, Func<double, string> text)
    {
        if (figure is { } f)
            table.Add(what, text(f.Held), text(f.Free), text(f.More), text(f.Noise), text(f.Allowed), Felt(f.Verdict));
        else
            table.Add(what, "", "", "", "", "", new Cell("not measured: it hardly ran", Tone.Quiet));
    }

    private static Cell Felt(string verdict) => verdict switch
    {
        "notFelt" => new("no", Tone.Good),
        "felt" => new("yes", Tone.Bad),
        _ => new("cannot tell", Tone.Waiting),
    };

    private static string Sentence(Check check) => check.Verdict switch
    {
        "notFelt" => $"not felt: {check.Reason}.",
        "felt" => $"felt: {check.Reason}.{WhatHelps(check)}",
        "cannotTell" => $"cannot tell: {check.Reason}.",
        _ => $"nothing was measured: {check.Reason}.",
    };

    /// <summary>A priority that is not in force says itself what to mend.</summary>
    private static string WhatHelps(Check check) => check.PrimaryWait?.Verdict == "felt" || check.WakeupMillis?.Verdict == "felt"
        ? " What helps: each of the primary's threads bound to a core of its own; see 'When it is felt' in docs/operations.md."
        : "";
}
