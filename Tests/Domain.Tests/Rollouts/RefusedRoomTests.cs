using Hosting.Domain.Rollouts;

namespace Hosting.Domain.Tests.Rollouts;

public sealed class RefusedRoomTests
{
    private static readonly DateTimeOffset First = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Moment = TimeSpan.FromTicks(1);

    private readonly RefusedRoom _room = new();

    [Fact]
    public void At_first_it_is_asked_for_again_soon()
    {
        Assert.Equal(RefusedRoom.AskAgainAfter, _room.Refused(First));
        Assert.Equal(RefusedRoom.AskAgainAfter, _room.Refused(First + RefusedRoom.AskAgainFor - Moment));
    }

    [Fact]
    public void Who_is_refused_for_long_asks_at_the_usual_pace()
    {
        _room.Refused(First);
        Assert.Null(_room.Refused(First + RefusedRoom.AskAgainFor));
        Assert.Null(_room.Refused(First + (2 * RefusedRoom.AskAgainFor)));
    }

    [Fact]
    public void After_it_was_given_the_next_refusal_is_a_first_one()
    {
        _room.Refused(First);
        _room.Ended();
        Assert.Equal(RefusedRoom.AskAgainAfter, _room.Refused(First + RefusedRoom.AskAgainFor));
    }
}
