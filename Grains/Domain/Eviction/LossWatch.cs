using System.Globalization;
using Hosting.Servers;

namespace Hosting.Domain.Eviction;

/// <summary>
/// When a server, or a VM of it, counts as lost: after silence, or after its engine has not answered, for longer than the
/// region's policy says. A watch that has not heard of the server yet counts from its own beginning, and gives agents the
/// time that a restarted control plane needs to be found again.
/// </summary>
/// <param name="since">When the watch began.</param>
public sealed class LossWatch(DateTimeOffset since)
{
    /// <summary>Silence after which a server is suspect: it takes nothing new, and keeps its traffic.</summary>
    public static readonly TimeSpan SuspectAfter = TimeSpan.FromSeconds(3);

    /// <summary>Least silence after which a server is lost that was not heard from since the watch began: agents try again every 5 s at most.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, (DateTimeOffset Since, string? Reason, bool Gone)> _notReady = new(StringComparer.Ordinal);
    private HashSet<string>? _offered;
    private DateTimeOffset? _heardAt;

    /// <summary>Whether its agent was heard from since the watch began.</summary>
    public bool Known => _heardAt is not null;

    /// <summary>Its agent connected with these VMs; others it has no more.</summary>
    public void Offer(IReadOnlyList<VmRecord> vms, DateTimeOffset now)
    {
        _heardAt = now;
        _offered = [.. vms.Select(vm => vm.Name)];
        _notReady.Clear();
        foreach (var vm in vms) Note(vm.Name, vm.Ready, vm.Reason, gone: false, now);
    }

    /// <summary>Its agent reported.</summary>
    /// <returns>Whether that changes what is suspect or lost, or will be: it was silent before, or a VM is not what it was.</returns>
    public bool Hear(IReadOnlyList<VmReport> vms, DateTimeOffset now)
    {
        var news = Silence(now) >= SuspectAfter;
        // Nobody could see its VMs meanwhile: what they did in the silence is not held against them.
        if (Known && news) _notReady.Clear();
        _heardAt = now;
        foreach (var vm in vms) news |= Note(vm.Vm, vm.Ready, vm.Reason, vm.Gone, now);
        return news;
    }

    /// <summary>Time since it was heard from.</summary>
    public TimeSpan Silence(DateTimeOffset now) => now - (_heardAt ?? since);

    /// <summary>Whether the whole server is lost.</summary>
    public bool IsLost(TimeSpan lostAfter, DateTimeOffset now) => Silence(now) >= Patience(lostAfter);

    /// <summary>How long nothing becomes suspect or lost that is not already, if nothing more is heard. Never zero or less.</summary>
    public TimeSpan Rest(TimeSpan lostAfter, DateTimeOffset now)
    {
        var rest = Sooner(TimeSpan.MaxValue, SuspectAfter - Silence(now));
        rest = Sooner(rest, Patience(lostAfter) - Silence(now));
        foreach (var state in _notReady.Values) rest = Sooner(rest, lostAfter - (now - state.Since));
        return rest;
    }

    /// <summary>Why a VM is lost though its server is not, for people; null when it is not lost.</summary>
    public string? WhyLost(string vm, TimeSpan lostAfter, DateTimeOffset now)
    {
        if (_offered is not null && !_offered.Contains(vm)) return $"VM {vm} is gone: its agent no longer offers it";
        if (!_notReady.TryGetValue(vm, out var state)) return null;
        var why = state.Reason is { Length: > 0 } reason ? $": {reason}" : "";
        if (state.Gone) return $"VM {vm} is gone{why}";
        return now - state.Since >= lostAfter
            ? string.Create(CultureInfo.InvariantCulture, $"VM {vm} has not been ready for {(now - state.Since).TotalSeconds:0} s{why}")
            : null;
    }

    private static TimeSpan Sooner(TimeSpan rest, TimeSpan left) => left > TimeSpan.Zero && left < rest ? left : rest;

    private TimeSpan Patience(TimeSpan lostAfter) => Known || lostAfter > Grace ? lostAfter : Grace;

    private bool Note(string vm, bool ready, string? reason, bool gone, DateTimeOffset now)
    {
        if (ready) return _notReady.Remove(vm);
        var before = _notReady.TryGetValue(vm, out var known);
        _notReady[vm] = (before ? known.Since : now, reason, gone);
        return !before || known.Gone != gone;
    }
}
