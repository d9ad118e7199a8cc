using System.CommandLine;
using System.Text.Json.Nodes;

namespace Hosting.Cli.Commands;

/// <summary>Options of <c>hosting deploy</c> about health checks, rollouts and stopping.</summary>
internal sealed class HealthOptions
{
    private readonly Option<string?> _path = new("--health-path")
    {
        Description = "Path that answers 200 to 399 when a replica is healthy. Otherwise the port accepting is enough.", HelpName = "PATH",
    };

    private readonly (Option<int?> Option, string? Group, string Field)[] _numbers =
    [
        (Whole.Option("--health-interval", "Seconds between two health checks (2).", "SECONDS"), "healthCheck", "intervalSeconds"),
        (Whole.Option("--health-timeout", "Seconds until a health check counts as failed (1).", "SECONDS"), "healthCheck", "timeoutSeconds"),
        (Whole.Option("--healthy-after", "Successes in a row that make a replica healthy (1).", "N"), "healthCheck", "healthyAfter"),
        (Whole.Option("--unhealthy-after", "Failures in a row that make a replica unhealthy (3).", "N"), "healthCheck", "unhealthyAfter"),
        (Whole.Option("--grace-period", "Seconds after the start in which failures do not count (30).", "SECONDS"), "healthCheck", "gracePeriodSeconds"),
        (Whole.Option("--max-surge", "Replicas beyond the wanted number during a rollout (1).", "N"), "rollout", "maxSurge"),
        (Whole.Option("--max-unavailable", "Replicas below the wanted number during a rollout (0).", "N"), "rollout", "maxUnavailable"),
        (Whole.Option("--progress-deadline", "Seconds without one more healthy replica until a rollout is stopped (120).", "SECONDS"), "rollout", "progressDeadlineSeconds"),
        (Whole.Option("--stop-grace", "Seconds for requests in flight, and from SIGTERM to SIGKILL (10).", "SECONDS"), null, "stopGraceSeconds"),
    ];

    /// <summary>All of them.</summary>
    public IEnumerable<Option> Options => [_path, .. _numbers.Select(n => n.Option)];

    /// <summary>Puts what was given into a spec.</summary>
    public void Apply(ParseResult given, JsonObject spec)
    {
        if (given.GetValue(_path) is { } path) Pairs.Child(spec, "healthCheck")["path"] = path;
        foreach (var (option, group, field) in _numbers)
        {
            if (given.GetValue(option) is { } number)
                (group is null ? spec : Pairs.Child(spec, group))[field] = number;
        }
    }
}
