using Hosting.HostAgent.Hub;
using Hosting.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Pressure;

public sealed class ControlPlaneTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("policy-").FullName;
    private readonly ManualTime _time = new();

    [Fact]
    public void What_it_said_last_holds_also_for_the_next_agent()
    {
        New().Take(new Policy { Admit = 0.4, Evict = 0.5, EvictAfterSeconds = 30 });
        var next = New();
        next.Restore();
        Assert.Equal((0.5, TimeSpan.FromSeconds(30)), (next.Evict, next.EvictAfter));
    }

    [Fact]
    public void Without_a_word_and_with_one_that_makes_no_sense_the_defaults_hold()
    {
        var control = New();
        control.Restore();
        control.Take(new Policy { Admit = 0.4, Evict = 7, EvictAfterSeconds = 30 });
        control.Take(new Policy { Admit = 0.4, Evict = 0.5 });
        File.WriteAllText(Path.Combine(_directory, ControlPlane.FileName), "junk");
        control.Restore();
        Assert.Equal((0.8, TimeSpan.FromSeconds(5)), (control.Evict, control.EvictAfter));
    }

    [Fact]
    public void It_is_away_after_15_s_of_silence()
    {
        var control = New();
        _time.Advance(15);
        Assert.False(control.IsAway);
        _time.Advance(0.1);
        Assert.True(control.IsAway);
        control.Heard();
        Assert.False(control.IsAway);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ControlPlane New() => new(_directory, _time, NullLogger.Instance);
}
