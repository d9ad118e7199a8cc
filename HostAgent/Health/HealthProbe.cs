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
            return rules.Path.Length == 0 ? await ConnectAsync(address, port, rules.Settle, deadline.Token) : await GetAsync(address, port, rules.Path, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return $"{Subject(rules)} took longer than {rules.Timeout.TotalSeconds:0} s";
        }
        catch (Exception error)
        {
            // Whatever it is, it must not end the checks: a container that nobody checks keeps its last health for ever.
            return $"{Subject(rules)} failed: {error.Message}";
        }
    }

    public void Dispose() => _http.Dispose();

    private static string Subject(HealthRules rules) => rules.Path.Length == 0 ? "connecting to its port" : $"GET {rules.Path}";

    /// <summary>A proxy before the container accepts for it, and hangs up when nobody listens behind it: then it has to stay open a moment.</summary>
    private static async Task<string?> ConnectAsync(string address, int port, TimeSpan settle, CancellationToken cancellation)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, cancellation);
        if (settle == TimeSpan.Zero)
            return null;
        var heard = socket.ReceiveAsync(new byte[1], cancellation).AsTask();
        var isOpen = await Task.WhenAny(heard, Task.Delay(settle, cancellation)) != heard || await heard > 0;
        // Nobody waits for it when it stayed open.
        _ = heard.ContinueWith(task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return isOpen ? null : "its port hangs up at once";
    }

    private async Task<string?> GetAsync(string address, int port, string path, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{HostPort.Of(address, port)}/{path.TrimStart('/')}");
        request.Headers.ConnectionClose = true;
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var code = (int)response.StatusCode;
        return code is >= 200 and < 400 ? null : $"GET {path} answered {code}";
    }
}
