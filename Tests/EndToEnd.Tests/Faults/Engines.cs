using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Hosting.EndToEnd.Tests.Faults;

/// <summary>What really runs, asked of the VMs' engines themselves.</summary>
internal static class Engines
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Names of the containers that run in all VMs of a stack, sorted.</summary>
    public static async Task<IReadOnlyList<string>> Running(Stack stack)
    {
        var sockets = Directory.GetDirectories(stack.Home, "agent-*")
            .SelectMany(agent => Directory.GetDirectories(Path.Combine(agent, "vms")))
            .Select(vm => Path.Combine(vm, "engine.sock"));
        return [.. (await Task.WhenAll(sockets.Select(Names))).SelectMany(names => names).Order(StringComparer.Ordinal)];
    }

    private static async Task<IEnumerable<string>> Names(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellation) => Connect(path, cancellation) }) { Timeout = Patience };
        var answer = JsonNode.Parse(await http.GetStringAsync("http://engine/containers/json"))!;
        return answer.AsArray().Select(container => ((string)container!["Names"]![0]!).TrimStart('/'));
    }

    private static async ValueTask<System.IO.Stream> Connect(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
