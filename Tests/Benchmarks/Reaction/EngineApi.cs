using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Hosting.Benchmarks.Reaction;

/// <summary>The HTTP API of a container engine behind a socket, with its cluster calls, which the agent's client has no use for.</summary>
internal sealed class EngineApi(string socket) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://engine/"), Timeout = TimeSpan.FromSeconds(60) };

    public async Task<JsonNode> Get(string path) => (await _http.GetFromJsonAsync<JsonNode>(path))!;

    public Task<JsonNode> List(string path, string filter, string value) =>
        Get($"{path}?filters={Uri.EscapeDataString(new JsonObject { [filter] = new JsonArray(value) }.ToJsonString())}");

    public async Task<string> Post(string path, JsonNode body)
    {
        using var answer = await _http.PostAsync(path, JsonContent.Create(body));
        return await Text(answer, path);
    }

    public async Task Load(string archive)
    {
        await using var file = File.OpenRead(archive);
        using var answer = await _http.PostAsync("images/load", new StreamContent(file));
        await Text(answer, archive);
    }

    /// <summary>Calls back with every event of containers, until cancelled.</summary>
    public async Task Watch(Func<Task> changed, CancellationToken cancellation)
    {
        await using var stream = await _http.GetStreamAsync("events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D", cancellation);
        using var lines = new StreamReader(stream);
        await changed();
        while (await lines.ReadLineAsync(cancellation) is not null)
            await changed();
    }

    public async Task Delete(string path)
    {
        using var answer = await _http.DeleteAsync(path);
        await Text(answer, path);
    }

    public void Dispose() => _http.Dispose();

    private static async Task<string> Text(HttpResponseMessage answer, string about)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new PreconditionException($"an engine refused {about}: {text.Trim()}");
    }
}
