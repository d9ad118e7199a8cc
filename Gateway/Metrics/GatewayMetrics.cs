using Prometheus;

namespace Hosting.Gateway.Metrics;

/// <summary>What a gateway counts. A registry of its own: the library's default one listens to every meter of the process.</summary>
internal sealed class GatewayMetrics
{
    private readonly Counter.Child[] _answers;

    public GatewayMetrics()
    {
        var metrics = Prometheus.Metrics.WithCustomRegistry(Registry);
        var answers = metrics.CreateCounter("hosting_gateway_requests_total", "Requests answered, by class of status.", "code");
        _answers = [.. Enumerable.Range(0, 6).Select(code => answers.WithLabels(code == 0 ? "aborted" : $"{code}xx"))];
        Retries = metrics.CreateCounter("hosting_gateway_retries_total", "Tries on another replica, by what the failed one ended with.", "failure");
        Ejections = metrics.CreateCounter("hosting_gateway_ejections_total", "Times that a replica was left out because connections to it failed.");
        Parked = metrics.CreateGauge("hosting_gateway_parked", "Requests that wait for a replica.");
        ParkedTotal = metrics.CreateCounter("hosting_gateway_parked_total", "Times that a request waited for a replica.");
        KnownApps = metrics.CreateGauge("hosting_gateway_known_apps", "Apps in the routing table.");
        ControlPlaneUp = metrics.CreateGauge("hosting_gateway_control_plane_up", "1 when the control plane answers.");
        ResolveSeconds = metrics.CreateHistogram(
            "hosting_gateway_resolve_seconds", "Time to learn a host name that was not known.",
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0005, 2, 13) });
    }

    /// <summary>Everything below.</summary>
    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    public Counter Retries { get; }

    public Counter Ejections { get; }

    public Gauge Parked { get; }

    public Counter ParkedTotal { get; }

    public Gauge KnownApps { get; }

    public Gauge ControlPlaneUp { get; }

    public Histogram ResolveSeconds { get; }

    /// <summary>Counts an answer by its status, or as aborted when the client went away before one.</summary>
    public void Answered(int status, bool aborted) => _answers[aborted ? 0 : Math.Clamp(status / 100, 1, 5)].Inc();
}
