using Hosting.Domain.Checks;
using Hosting.Servers;

namespace Hosting.Grains.Servers;

/// <content>
/// Checks of whether the primary feels the VMs: one at a time, measured by the agent. The last one is remembered as long as the
/// activation lives; its verdict is in the diary too.
/// </content>
internal sealed partial class ServerGrain
{
    /// <summary>Its measurement takes about 15 s.</summary>
    private static readonly TimeSpan CheckDeadline = TimeSpan.FromSeconds(40);

    private ServerCheck? _check;
    private long _checkRequest;

    public Task<CheckBegun> BeginCheck()
    {
        if (Check() is { State: CheckState.Running } running)
            return Task.FromResult(new CheckBegun(null, $"it is being checked already, since {running.StartedAt:HH:mm:ss} UTC"));
        if (_session is not { } session)
            return Task.FromResult(new CheckBegun(null, "its agent is not connected, so nothing can be measured there"));
        _check = new ServerCheck { State = CheckState.Running, StartedAt = clock.GetUtcNow() };
        session.Link.Check(++_checkRequest).Ignore();
        return Task.FromResult(new CheckBegun(_check));
    }

    public Task<ServerCheck?> GetCheck() => Task.FromResult(Check());

    public Task<bool> TakeCheck(long session, long request, CheckMeasured measured)
    {
        if (_session?.Id != session)
            return Task.FromResult(false);
        if (_check is { State: CheckState.Running } running && request == _checkRequest)
        {
            _check = PrimaryVerdict.Of(running, measured, clock.GetUtcNow());
            Log("checked", $"server {Name} was checked: {Words(_check)}");
        }

        return Task.FromResult(true);
    }

    private static string Words(ServerCheck check) => check.Verdict switch
    {
        CheckVerdict.NotFelt => $"its primary does not feel its VMs: {check.Reason}",
        CheckVerdict.Felt => $"its primary feels its VMs: {check.Reason}",
        CheckVerdict.CannotTell => $"whether its primary feels its VMs can not be told: {check.Reason}",
        _ => $"without a verdict: {check.Reason}",
    };

    /// <summary>The last one, which may have run out of time.</summary>
    private ServerCheck? Check()
    {
        if (_check is { State: CheckState.Running } running && clock.GetUtcNow() - running.StartedAt > CheckDeadline)
            EndCheck($"its agent did not answer within {CheckDeadline.TotalSeconds:0} s; is it of an earlier version?");
        return _check;
    }

    /// <summary>One that runs comes to nothing.</summary>
    private void EndCheck(string reason)
    {
        if (_check is { State: CheckState.Running } running)
            _check = running with { State = CheckState.Failed, FinishedAt = clock.GetUtcNow(), Reason = reason };
    }
}
