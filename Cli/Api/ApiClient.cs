using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Hosting.Cli.Api;

/// <summary>An answer of the API: as it came, as a value, and what its headers add.</summary>
/// <param name="Json">The body.</param>
/// <param name="Value">The same, read.</param>
/// <param name="Outcome">How a deployment ended: created, updated or unchanged; null for other requests.</param>
/// <param name="Incomplete">What the answer lacks, in words; null when it is whole.</param>
internal sealed record Answer<T>(string Json, T Value, string? Outcome, string? Incomplete);

/// <summary>Calls the HTTP API, with a deadline for each call.</summary>
internal sealed class ApiClient : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;

    public ApiClient(Uri address)
    {
        // A proxy is for the way out; this machine is not outside.
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5), UseProxy = !IsThisMachine(address.Host), ConnectCallback = Connect };
        _http = new HttpClient(new RepeatWhileUnavailable(handler)) { BaseAddress = address, Timeout = Deadline };
    }

    public Task<Answer<T>> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) => Send(HttpMethod.Get, path, null, type, cancel);

    /// <summary>Sends a request and reads its answer.</summary>
    /// <exception cref="ApiException">The API refused it.</exception>
    /// <exception cref="CommandException">There was no answer, or none of this API.</exception>
    public async Task<Answer<T>> Send<T>(HttpMethod method, string path, JsonNode? body, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await Exchange(request, HttpCompletionOption.ResponseContentRead, cancel);
        var json = await response.Content.ReadAsStringAsync(cancel);
        return new(json, Read(json, type), Header(response, "Hosting-Outcome"), Header(response, "Hosting-Incomplete"));
    }

    /// <summary>Opens a stream of server-sent events, after the event with the id given.</summary>
    public async Task<HttpResponseMessage> Open(string path, string? lastEventId, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        return await Exchange(request, HttpCompletionOption.ResponseHeadersRead, cancel);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> Exchange(HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancel)
    {
        try
        {
            var response = await _http.SendAsync(request, completion, cancel);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw await Refusal(response, cancel);
        }
        catch (HttpRequestException e)
        {
            throw new NoAnswerException($"The API at {_http.BaseAddress} can not be reached: {e.Message}. "
                + "Check that the platform is up (infra/up), and the address (--api or $HOSTING_API).");
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new NoAnswerException($"The API at {_http.BaseAddress} did not answer within {Deadline.TotalSeconds:0} s. "
                + "Check the health of the platform: GET /readyz, and the logs of silos and gateways.");
        }
    }

    private async Task<Exception> Refusal(HttpResponseMessage response, CancellationToken cancel)
    {
        var status = (int)response.StatusCode;
        var type = response.Content.Headers.ContentType?.MediaType;
        if (type is not ("application/problem+json" or "application/json"))
            return status is 502 or 503 or 504
                ? new ApiException(new($"{_http.BaseAddress} answered {status} {response.ReasonPhrase}", status, "The gateway reaches no silo now.", null))
                : new CommandException($"{_http.BaseAddress} answered {status} {response.ReasonPhrase}, and not in the way of this API: "
                    + "check the address (--api or $HOSTING_API).");
        var problem = Read(await response.Content.ReadAsStringAsync(cancel), AnswerJson.Default.Problem);
        return new ApiException(problem with { Status = status });
    }

    private T Read<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new CommandException($"{_http.BaseAddress} answered something that is not of this API: {e.Message}");
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    // Every name under localhost is this machine (RFC 6761), but resolvers do not know it.
    private static async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A stream can be quiet for long: this is how the loss of its other end is noticed.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            var target = context.DnsEndPoint;
            await socket.ConnectAsync(IsThisMachine(target.Host) ? new DnsEndPoint("localhost", target.Port) : target, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsThisMachine(string host) =>
        host == "localhost" || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
