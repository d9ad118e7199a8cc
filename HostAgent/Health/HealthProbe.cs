using System.Net.Sockets;

namespace Hosting.HostAgent.Health;

/// <summary>One check of one container over its own address.</summary>
internal sealed class HealthProbe : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>What failed; null when it passed.</summary>
    public async Task<string?> CheckAsync(string address, int port, HealthRules rules, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(rules.Timeout);
        try
        {
            return rules.Path.Length == 0 ? await ConnectAsync(address, port, deadline.Token) : await GetAsync(address, port, rules.Path, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return $"{Subject(rules)} took longer than {rules.Timeout.TotalSeconds:0} s";
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException or UriFormatException)
        {
            return $"{Subject(rules)} failed: {error.Message}";
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Subject(HealthRules rules) => rules.Path.Length == 0 ? "connecting to its port" : $"GET {rules.Path}";

    private static async Task<string?> ConnectAsync(string address, int port, CancellationToken cancellation)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, cancellation);
        return null;
    }

    private async Task<string?> GetAsync(string address, int port, string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{address}:{port}/{path.TrimStart('/')}");
        request.Headers.ConnectionClose = true;
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var code = (int)response.StatusCode;
        return code is >= 200 and < 400 ? null : $"GET {path} answered {code}";
    }
}
