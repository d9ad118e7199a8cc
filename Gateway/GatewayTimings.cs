namespace Hosting.Gateway;

/// <summary>Times and limits that no operator has to know. Tests shorten them.</summary>
internal sealed record GatewayTimings
{
    /// <summary>Deadline of learning a host name that is not known.</summary>
    public TimeSpan Resolve { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Deadline of one grain call; Orleans' own, 30 s, would be waited out by a call under way when its silo is killed.</summary>
    public TimeSpan Call { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the silos are listed anew; Orleans' own, a minute, is how long a new silo would go unused.</summary>
    public TimeSpan SilosRefresh { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A subscription is renewed after this, plus up to half of it. Well under the lease of 40 s.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often it is looked for apps whose renewal is due.</summary>
    public TimeSpan RenewalTick { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the silos' API addresses are asked for.</summary>
    public TimeSpan ApiRefresh { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often silos are asked whether they answer.</summary>
    public TimeSpan ApiHealth { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A silo that does not answer that for so long is left out.</summary>
    public TimeSpan ApiSilent { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>An app without a request for so long is forgotten.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>An unknown host name is remembered for one to two times this.</summary>
    public TimeSpan Negative { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a request to the API waits for a silo.</summary>
    public TimeSpan ApiPark { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause between rounds over replicas that refuse connections, unless a change comes first.</summary>
    public TimeSpan Round { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Who waited for a container comes, on an average, so long after the one before.</summary>
    public TimeSpan Apart { get; init; } = TimeSpan.FromMilliseconds(3);

    /// <summary>Nobody who waited for a container comes later than this after it is there.</summary>
    public TimeSpan LongestSpread { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Host names that are learned at once.</summary>
    public int MaxResolving { get; init; } = 256;

    /// <summary>Requests that wait for a host name to be learned.</summary>
    public int MaxResolvingRequests { get; init; } = 4096;

    /// <summary>Requests of one app that wait for a container: 10 s at 100 a second.</summary>
    public int MaxParkedPerApp { get; init; } = 1024;

    /// <summary>Requests that wait for a container.</summary>
    public int MaxParked { get; init; } = 4096;
}
