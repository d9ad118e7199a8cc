using Hosting.Domain.Apps;

namespace Hosting.Domain.Tests.Apps;

public class RegionPresenceTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private readonly RegionPresence _presence = new();
    private IReadOnlyList<string> _away = [];

    [Fact]
    public void A_region_is_away_after_ten_seconds_of_silence_and_not_before()
    {
        Assert.Empty(Look(0, serves: false));
        Assert.Empty(Look(9, serves: false));
        Assert.Equal(["eu-1"], Look(10, serves: false));
    }

    [Fact]
    public void One_answer_in_between_begins_the_count_anew()
    {
        Look(0, serves: false);
        Look(9, serves: true);
        Assert.Empty(Look(12, serves: false));
        Assert.Empty(Look(21, serves: false));
        Assert.Equal(["eu-1"], Look(22, serves: false));
    }

    [Fact]
    public void It_is_back_when_its_share_is_healthy()
    {
        Look(0, serves: false);
        Look(10, serves: false);
        Assert.Equal(["eu-1"], Look(20, serves: true));
        Assert.Empty(Look(21, serves: true, healthy: true));
    }

    [Fact]
    public void It_is_back_after_a_minute_of_answers_whatever_its_share_is()
    {
        Look(0, serves: false);
        Look(10, serves: false);
        Look(20, serves: true);
        Assert.Equal(["eu-1"], Look(79, serves: true));
        Assert.Empty(Look(80, serves: true));
    }

    [Fact]
    public void A_region_that_left_the_app_is_forgotten()
    {
        Look(0, serves: false);
        Assert.Empty(_presence.Look([], [new RegionAnswer("us-1", true, true)], Start.AddSeconds(5)));
        Assert.Empty(Look(11, serves: false));
    }

    private IReadOnlyList<string> Look(int second, bool serves, bool healthy = false) =>
        _away = _presence.Look(_away, [new RegionAnswer("eu-1", serves, healthy)], Start.AddSeconds(second));
}
