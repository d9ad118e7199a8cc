using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Utilization;
using Hosting.HostAgent.Vms;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Vms;

public sealed class VmSizeTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly Capacity Whole = new(1000, 1000);
    private static readonly Capacity Half = new(1000, 500);
    private readonly ManualTime _time = new();

    [Fact]
    public async Task What_is_given_up_is_told_first_and_taken_then()
    {
        var driver = new Driver();
        var size = Size(driver);

        await size.OfferAsync(Half, Cancel);
        _time.Advance(0.4);
        await size.OfferAsync(Half, Cancel);
        Assert.Equal((Half, 0), (size.Offered, driver.Sizes.Count));
        _time.Advance(0.1);
        await size.OfferAsync(Half, Cancel);
        Assert.Equal([Half], driver.Sizes);
        await size.OfferAsync(Whole, Cancel);
        Assert.Equal([Half, Whole], driver.Sizes);
        Assert.Equal(Whole, size.Offered);
    }

    [Fact]
    public async Task A_vm_that_can_not_be_resized_now_is_tried_again()
    {
        var driver = new Driver { Refuses = true };
        var size = Size(driver, Half);

        await size.OfferAsync(Whole, Cancel);
        Assert.Empty(driver.Sizes);
        driver.Refuses = false;
        await size.OfferAsync(Whole, Cancel);

        Assert.Equal([Whole], driver.Sizes);
    }

    [Fact]
    public async Task A_vm_that_is_not_up_offers_what_it_will_have()
    {
        var driver = new Driver();
        var size = Size(driver);
        size.Ended();

        await size.OfferAsync(Half, Cancel);
        _time.Advance(1);
        await size.OfferAsync(Half, Cancel);

        Assert.Equal((Half, 0), (size.Offered, driver.Sizes.Count));
    }

    private VmSize Size(Driver driver, Capacity? has = null)
    {
        var size = new VmSize(new VmSettings("vm-1", VmDriverKind.Qemu, Whole), driver, new StatusBoard(), _time, NullLogger.Instance);
        size.Started(has ?? Whole);
        return size;
    }

    private sealed class Driver : IVmDriver
    {
        public bool KeepsFreedMemory => false;

        public bool Refuses { get; set; }

        public List<Capacity> Sizes { get; } = [];

        public Task ResizeAsync(Capacity offered, CancellationToken cancellation)
        {
            if (Refuses)
                throw new VmException("not now");
            Sizes.Add(offered);
            return Task.CompletedTask;
        }

        public Task<RunningVm> StartAsync(Capacity offered, CancellationToken cancellation) => throw new NotSupportedException();

        public Task KillAsync(IReadOnlyList<string> engineIds, CancellationToken cancellation) => throw new NotSupportedException();

        public Task PowerOffAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public Task PurgeAsync(CancellationToken cancellation) => throw new NotSupportedException();

        public void Tidy()
        {
        }
    }
}
