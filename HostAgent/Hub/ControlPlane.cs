using Google.Protobuf;
using Hosting.HostAgent.Files;
using Hosting.Protocol;

namespace Hosting.HostAgent.Hub;

/// <summary>
/// What the control plane said last of how the server is to be kept, on disk for the time without one, and whether there is one:
/// it says something every few seconds.
/// </summary>
internal sealed class ControlPlane(string directory, TimeProvider time, ILogger log)
{
    /// <summary>Name of its file in the state directory.</summary>
    public const string FileName = "policy.bin";

    /// <summary>Three of its regular words in a row did not come.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(15);

    private static readonly Policy Default = new() { Admit = 0.60, Evict = 0.80, EvictAfterSeconds = 5 };
    private readonly string _path = Path.Combine(directory, FileName);
    private Policy _policy = Default;
    private long _heardAt = time.GetTimestamp();

    /// <summary>Evict threshold of the server, a share of its CPU and of its memory.</summary>
    public double Evict => _policy.Evict;

    /// <summary>How long the server may be over it.</summary>
    public TimeSpan EvictAfter => TimeSpan.FromSeconds(_policy.EvictAfterSeconds);

    /// <summary>Whether nothing was heard of it for too long, by <see cref="AwayAfter"/>.</summary>
    public bool IsAway => time.GetElapsedTime(Volatile.Read(ref _heardAt)) > AwayAfter;

    /// <summary>Takes up what it said last, from disk.</summary>
    public void Restore()
    {
        try
        {
            if (File.Exists(_path) && Policy.Parser.ParseFrom(File.ReadAllBytes(_path)) is var kept && IsValid(kept))
                _policy = kept;
        }
        catch (InvalidProtocolBufferException error)
        {
            log.LogWarning("{File} cannot be read ({Reason}); the default thresholds hold until the control plane says others", _path, error.Message);
        }
    }

    /// <summary>It said something.</summary>
    public void Heard() => Volatile.Write(ref _heardAt, time.GetTimestamp());

    /// <summary>It said how the server is to be kept: to disk first. What makes no sense is left out.</summary>
    public void Take(Policy policy)
    {
        if (!IsValid(policy) || policy.Equals(_policy))
            return;
        Directory.CreateDirectory(directory);
        AtomicFile.Write(_path, policy.ToByteArray());
        _policy = policy;
        log.LogInformation("Thresholds of this server: admit {Admit:0.00}, evict {Evict:0.00} after {Seconds} s", policy.Admit, policy.Evict, policy.EvictAfterSeconds);
    }

    private static bool IsValid(Policy policy) => policy is { Admit: > 0 and <= 1, Evict: > 0 and <= 1, EvictAfterSeconds: > 0 and <= 3600 };
}
