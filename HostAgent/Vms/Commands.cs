using System.ComponentModel;
using System.Diagnostics;

namespace Hosting.HostAgent.Vms;

/// <summary>Runs the system's own tools, each with a deadline.</summary>
internal static class Commands
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <summary>Runs a tool and answers what it printed.</summary>
    /// <exception cref="VmException">It failed, is missing, or took too long.</exception>
    public static async Task<string> RunAsync(string tool, IEnumerable<string> arguments, string? input, CancellationToken cancellation)
    {
        var (code, output, error) = await TryAsync(tool, arguments, input, cancellation);
        return code == 0 ? output : throw new VmException($"{tool} {string.Join(' ', arguments)} failed: {error.Trim()}");
    }

    /// <inheritdoc cref="RunAsync(string, IEnumerable{string}, string?, CancellationToken)"/>
    public static Task<string> RunAsync(string commandLine, CancellationToken cancellation)
    {
        var words = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return RunAsync(words[0], words.Skip(1), null, cancellation);
    }

    /// <summary>Runs a tool whose failure is an answer.</summary>
    public static async Task<(int Code, string Output, string Error)> TryAsync(
        string tool, IEnumerable<string> arguments, string? input, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        using var process = Start(tool, arguments);
        try
        {
            if (input is not null)
                await process.StandardInput.WriteAsync(input.AsMemory(), deadline.Token);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            process.Kill();
            throw new VmException($"{tool} took longer than {Deadline.TotalSeconds:0} s.");
        }
    }

    private static Process Start(string tool, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        start.Environment["PATH"] = SystemPath;
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new VmException($"{tool} could not be started: {error.Message}. Install it (Debian: iproute2, iptables, util-linux, docker.io).");
        }
    }

    /// <summary>Where a system keeps its tools; an agent may have been started with less.</summary>
    public const string SystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/// <summary>A VM could not be started or stopped; the message is the reason that is reported.</summary>
internal sealed class VmException(string message) : Exception(message);
