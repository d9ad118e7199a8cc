using Hosting.Apps;
using Microsoft.Extensions.Logging;

namespace Hosting.Grains.Apps;

/// <summary>The gateways that asked to be told of changes, each until its lease ends.</summary>
internal sealed class GatewaySubscriptions(TimeProvider clock, ILogger log)
{
    private const int Most = 256;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(RouteLease.Seconds);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<IRouteObserver, DateTimeOffset> _until = [];

    /// <summary>Adds a gateway, or renews its lease. Beyond 256 a gateway lives by its renewals alone.</summary>
    public void Add(IRouteObserver gateway)
    {
        if (_until.Count < Most || _until.ContainsKey(gateway))
            _until[gateway] = clock.GetUtcNow() + Lease;
    }

    /// <summary>Tells every gateway and waits until each has confirmed, or 2 s have passed. One that fails is forgotten until it renews.</summary>
    public Task Publish(Func<IRouteObserver, Task> tell) => Ask(async gateway =>
    {
        await tell(gateway);
        return true;
    });

    /// <summary>Asks every gateway, for at most 2 s. One that fails is forgotten until it renews, and answers the default.</summary>
    public Task<T?[]> Ask<T>(Func<IRouteObserver, Task<T>> ask)
    {
        var now = clock.GetUtcNow();
        foreach (var expired in _until.Where(s => s.Value < now).Select(s => s.Key).ToList())
            _until.Remove(expired);
        return Task.WhenAll(_until.Keys.ToList().Select(gateway => AskOne(gateway, ask)));
    }

    private async Task<T?> AskOne<T>(IRouteObserver gateway, Func<IRouteObserver, Task<T>> ask)
    {
        try
        {
            return await ask(gateway).WaitAsync(Patience, clock);
        }
        catch (Exception failure)
        {
            _until.Remove(gateway);
            log.LogDebug("A gateway did not confirm a change of routes; its renewal repairs that: {Reason}", failure.Message);
            return default;
        }
    }
}
