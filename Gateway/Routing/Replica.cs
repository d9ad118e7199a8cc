using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Hosting.Gateway.Routing;

/// <summary>One place that serves an upstream: a container of an app, or a silo for the API.</summary>
internal sealed class Replica
{
    /// <summary>How long a replica is left out after its first connect failure; doubled by each further one.</summary>
    internal static readonly TimeSpan FirstEjection = TimeSpan.FromSeconds(1);

    /// <summary>The longest a replica is left out.</summary>
    internal static readonly TimeSpan LongestEjection = TimeSpan.FromSeconds(10);

    private const int Retired = int.MinValue / 2;
    private volatile bool _silent;
    private int _failures;
    private int _inFlight;
    private long _ejectedUntil;

    private Replica(string id, string prefix, string region)
    {
        Place = region.Length == 0 ? id : $"{region}/{id}";
        Destination = new DestinationState(id, new DestinationModel(new DestinationConfig { Address = prefix }));
    }

    /// <summary>Where it is, for people: <c>region/container</c>; of a silo its address.</summary>
    public string Place { get; }

    /// <summary>As YARP knows it; its id is the container's.</summary>
    public DestinationState Destination { get; }

    /// <summary>Base address with a slash at its end.</summary>
    public string Prefix => Destination.Model.Config.Address;

    /// <summary>A replica at a base address, for example <c>http://10.0.0.1:80</c>; null when it is not one.</summary>
    public static Replica? TryCreate(string id, string? address, string region = "") =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.Host.Length > 0
            ? new Replica(id, uri.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/", region)
            : null;

    /// <summary>Requests that are being delivered to it, WebSockets and streams until their end.</summary>
    public int InFlight => Volatile.Read(ref _inFlight) is var count && count >= 0 ? count : count - Retired;

    /// <summary>Takes a request on. False when the replica is out of its upstream's view: the request has to choose again.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inFlight) > 0)
            return true;
        Interlocked.Decrement(ref _inFlight);
        return false;
    }

    /// <summary>A request it took on is over.</summary>
    public void Leave() => Interlocked.Decrement(ref _inFlight);

    /// <summary>From now on it takes no request on; those it has go on. To be called once.</summary>
    public void Retire() => Interlocked.Add(ref _inFlight, Retired);

    /// <summary>Whether it did not answer when it was asked last if it is there.</summary>
    public bool IsSilent
    {
        get => _silent;
        set => _silent = value;
    }

    /// <summary>Whether it is left out for now, because connections to it failed or it is silent.</summary>
    public bool IsEjected(TimeProvider time) =>
        _silent || (Volatile.Read(ref _failures) > 0 && time.GetTimestamp() < Volatile.Read(ref _ejectedUntil));

    /// <summary>A connection failed. Failures of requests that were under way together count once.</summary>
    /// <returns>How long it is left out; null when it is already.</returns>
    public TimeSpan? Eject(TimeProvider time)
    {
        lock (Destination)
        {
            if (IsEjected(time))
                return null;
            var duration = FirstEjection * Math.Pow(2, Math.Min(_failures, 10));
            duration = duration < LongestEjection ? duration : LongestEjection;
            _ejectedUntil = time.GetTimestamp() + (long)(duration.TotalSeconds * time.TimestampFrequency);
            _failures++;
            return duration;
        }
    }

    /// <summary>It answered.</summary>
    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) != 0)
            Volatile.Write(ref _failures, 0);
    }
}
