using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>The agent's end of a VM's control console; the other end is <c>infra/vm/root/usr/lib/hosting/control</c>.</summary>
internal sealed class GuestConsole : IDisposable
{
    private const int SeedBytes = 64;
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    private GuestConsole(NetworkStream stream) => (_stream, _reader) = (stream, new StreamReader(stream));

    /// <summary>Connects; one at a time may be.</summary>
    /// <exception cref="VmException">Nobody is there.</exception>
    public static async Task<GuestConsole> ConnectAsync(string path, CancellationToken cancellation) =>
        new(await UnixSockets.ConnectAsync(path, cancellation));

    /// <summary>Waits until the VM's engine answers, after a boot.</summary>
    public Task WaitUntilBootedAsync(CancellationToken cancellation) => WaitForAsync("booted", cancellation);

    /// <summary>Gives the VM the time, fresh randomness and who may use its engine; answers once its engine can be reached.</summary>
    public async Task AdmitAsync(GuestCertificates certificates, string resolver, DateTimeOffset now, CancellationToken cancellation)
    {
        var seed = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SeedBytes));
        await WriteAsync(
            $"admit {Seconds(now)} {seed} {Hex(certificates.Authority)} {Hex(certificates.Server)} {Hex(certificates.ServerKey)} {Hex(resolver)}", cancellation);
        await WaitForAsync("admitted", cancellation);
    }

    /// <summary>Tells the VM what time it is.</summary>
    public Task TellTimeAsync(DateTimeOffset now, CancellationToken cancellation) => WriteAsync($"time {Seconds(now)}", cancellation);

    /// <summary>Tells the VM to kill containers; it does not say when it has.</summary>
    public Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation) => WriteAsync($"kill {string.Join(' ', engineIds)}", cancellation);

    /// <summary>Asks the VM to end its containers and itself.</summary>
    public Task AskToStopAsync(CancellationToken cancellation) => WriteAsync("stop", cancellation);

    public void Dispose() => _reader.Dispose();

    private Task WriteAsync(string line, CancellationToken cancellation) => _stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\n"), cancellation).AsTask();

    private async Task WaitForAsync(string word, CancellationToken cancellation)
    {
        try
        {
            while (await _reader.ReadLineAsync(cancellation) is { } line)
            {
                if (line.Trim() == word)
                    return;
            }
        }
        catch (IOException)
        {
            // It hung up.
        }

        throw new VmException("the VM ended while it started");
    }

    private static string Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));
}
