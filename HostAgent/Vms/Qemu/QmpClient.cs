using System.Net.Sockets;
using System.Text.Json;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>Speaks QMP, one command at a time, with the emulator of one VM.</summary>
internal sealed class QmpClient : IDisposable
{
    private static readonly TimeSpan CommandDeadline = TimeSpan.FromSeconds(10);
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    private QmpClient(NetworkStream stream) => (_stream, _reader) = (stream, new StreamReader(stream));

    /// <summary>Connects and agrees on the protocol.</summary>
    /// <param name="path">Its socket.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="VmException">Nobody answers there, as after a crash that left the socket.</exception>
    public static async Task<QmpClient> ConnectAsync(string path, CancellationToken cancellation)
    {
        var client = new QmpClient(await UnixSockets.ConnectAsync(path, cancellation));
        try
        {
            await client.LineAsync(cancellation);
            await client.ExecuteAsync("qmp_capabilities", null, cancellation);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Executes a command and answers what it returned.</summary>
    /// <exception cref="VmException">It failed, with the emulator's words, or took too long.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, object? arguments, CancellationToken cancellation)
    {
        object request = arguments is null ? new { execute = command } : new { execute = command, arguments };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(CommandDeadline);
        try
        {
            await _stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(request), deadline.Token);
            while (true)
            {
                using var answer = JsonDocument.Parse(await LineAsync(deadline.Token));
                if (answer.RootElement.TryGetProperty("return", out var value))
                    return value.Clone();
                if (answer.RootElement.TryGetProperty("error", out var error))
                    throw new VmException($"the emulator refused {command}: {error.GetProperty("desc").GetString()}");
                // Anything else is an event.
            }
        }
        catch (Exception error) when (error is IOException or JsonException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new VmException($"the emulator did not answer {command}: {error.Message}");
        }
    }

    public void Dispose() => _reader.Dispose();

    private async Task<string> LineAsync(CancellationToken cancellation) =>
        await _reader.ReadLineAsync(cancellation) ?? throw new IOException("it hung up");
}

/// <summary>Connecting to the sockets of a VM.</summary>
internal static class UnixSockets
{
    /// <summary>A connection.</summary>
    /// <exception cref="VmException">Nobody listens there.</exception>
    public static async Task<NetworkStream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw new VmException($"nobody answers at {path}: {error.Message}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
