using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Hosting.Support.Faults;

/// <summary>Deploys some apps again and again, each time with another number in its environment, and remembers what was acknowledged.</summary>
public sealed class DeployStream : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AskedFor = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyList<Stream> _streams;
    private readonly Uri _api;
    private readonly Task _deploying;

    /// <summary>Begins.</summary>
    /// <param name="gateway">Address of the gateway.</param>
    /// <param name="apps">How many apps; they run nothing.</param>
    public DeployStream(Uri gateway, int apps = 4)
    {
        _api = new Uri(gateway, "/v1/apps/");
        _streams = [.. Enumerable.Range(0, apps).Select(n => new Stream($"stream-{n}"))];
        _deploying = Task.WhenAll(_streams.Select(stream => Task.Run(() => Deploy(stream))));
    }

    /// <summary>When no app, or one of them, could not be deployed: the longest of any.</summary>
    public TimeSpan LongestOutage => _streams.Max(stream => stream.Outage.Longest);

    /// <summary>Deployments acknowledged.</summary>
    public int Acknowledged => _streams.Sum(stream => stream.Count);

    /// <summary>Counts outages anew.</summary>
    public void Reset()
    {
        foreach (var stream in _streams)
            stream.Outage.Reset();
    }

    /// <summary>Deploys nothing more.</summary>
    public async Task Stop()
    {
        if (!_stop.IsCancellationRequested)
            await _stop.CancelAsync();
        await _deploying;
    }

    /// <summary>Of what was acknowledged, what is not there, a line an app. For when it has been stopped.</summary>
    public async Task<IReadOnlyList<string>> Lost()
    {
        var lost = new List<string>();
        foreach (var stream in _streams.Where(s => s.Count > 0))
        {
            var status = await Status(stream.App);
            var found = int.Parse((string)status["spec"]!["env"]!["N"]!, CultureInfo.InvariantCulture);
            if (found < stream.LastAcknowledged || found > stream.LastAttempted)
                lost.Add($"{stream.App} has {found}; {stream.LastAcknowledged} was acknowledged, {stream.LastAttempted} asked for last");
        }
        return lost;
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _http.Dispose();
        _stop.Dispose();
    }

    /// <summary>What the API says of an app, which may ask to be asked again soon after a fault.</summary>
    private async Task<JsonNode> Status(string app)
    {
        for (var asked = Stopwatch.GetTimestamp(); ; await Task.Delay(Pace, CancellationToken.None))
        {
            using var answer = await _http.GetAsync(new Uri(_api, app));
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && Stopwatch.GetElapsedTime(asked) < AskedFor)
                continue;
            answer.EnsureSuccessStatusCode();
            return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
        }
    }

    private async Task Deploy(Stream stream)
    {
        while (!_stop.IsCancellationRequested)
        {
            var number = ++stream.LastAttempted;
            var asked = Stopwatch.GetTimestamp();
            if (await Put(stream.App, number))
            {
                (stream.LastAcknowledged, stream.Count) = (number, stream.Count + 1);
                stream.Outage.Good(asked);
            }
            await Task.Delay(Pace, CancellationToken.None);
        }
    }

    private async Task<bool> Put(string app, int number)
    {
        var env = new Dictionary<string, string> { ["N"] = number.ToString(CultureInfo.InvariantCulture) };
        try
        {
            using var answer = await _http.PutAsJsonAsync(new Uri(_api, app), new { image = "hosting/hello:1", port = 8080, replicas = 0, env });
            return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created;
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private sealed class Stream(string app)
    {
        public string App => app;

        public Outage Outage { get; } = new();

        public int LastAttempted { get; set; }

        public int LastAcknowledged { get; set; }

        public int Count { get; set; }
    }
}
