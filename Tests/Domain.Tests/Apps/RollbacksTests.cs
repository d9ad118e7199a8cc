using Hosting.Apps;
using Hosting.Domain.Apps;

namespace Hosting.Domain.Tests.Apps;

public class RollbacksTests
{
    [Fact]
    public void Without_a_number_it_goes_one_back_or_to_what_serves()
    {
        Assert.Equal(6, Rollbacks.DefaultTarget(7, [5, 6, 7], serving: null));
        Assert.Equal(5, Rollbacks.DefaultTarget(7, [5, 6, 7], serving: 5));
        Assert.Equal(6, Rollbacks.DefaultTarget(7, [6, 7], serving: 5));
        Assert.Null(Rollbacks.DefaultTarget(1, [1], serving: null));
    }

    [Fact]
    public void What_is_no_part_of_a_revision_stays_as_it_is()
    {
        var today = new AppSpec { Image = "shop:2", Port = 81, Replicas = 7, Hostnames = ["shop.example.com"], CpuMillis = 500 };
        var back = Rollbacks.Spec(new AppSpec { Image = "shop:1", Port = 80, Replicas = 2, CpuMillis = 100 }, today);
        Assert.Equal(("shop:1", 80, 100, 7), (back.Image, back.Port, back.CpuMillis, back.Replicas));
        Assert.Equal(["shop.example.com"], back.Hostnames!);
        Assert.True(AppSpecComparison.RunTheSame(back, new AppSpec { Image = "shop:1", Port = 80, CpuMillis = 100 }));
    }

    [Fact]
    public void A_refusal_lists_what_is_kept() =>
        Assert.Equal(
            "revision 3 is not kept; kept are 7 (the newest), 6, 5. Choose one of them, or deploy the spec again.",
            Rollbacks.Refusal(3, 7, [5, 6, 7]));
}
