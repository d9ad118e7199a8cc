using Hosting.HostAgent.Elastic;

namespace Hosting.HostAgent.Tests.Elastic;

public sealed class MemoryBalanceTests
{
    private const int Server = 10_000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Before_containers_have_to_leave_the_vms_give_what_none_of_them_was_promised()
    {
        VmMemory[] vms = [new(2000, 0, 500), new(2000, 0, 2000), new(1000, 0, 0)];
        var (next, held) = new MemoryBalance().Next(vms, share: 0.80, evict: 0.80, Server, Start);
        Assert.Equal(1000, held.Sum());
        Assert.Equal(0, held[1]);
        Assert.Equal(held, next.Next(With(vms, held), 0.80, 0.80, Server, At(1)).Held);
        Assert.True(next.Next(With(vms, held), 0.80, 0.80, Server, At(2)).Held.Sum() > 1000, "what was taken did not suffice");
    }

    [Fact]
    public void Room_is_given_back_only_after_a_while_and_never_more_than_could_be_used()
    {
        VmMemory[] vms = [new(2000, 1500, 0), new(2000, 500, 0)];
        var balance = new MemoryBalance();
        (balance, var held) = balance.Next(vms, 0.60, 0.80, Server, Start);
        Assert.Equal([1500, 500], held);
        (balance, held) = balance.Next(vms, 0.60, 0.80, Server, At(9));
        Assert.Equal([1500, 500], held);
        (balance, held) = balance.Next(vms, 0.60, 0.80, Server, At(10));
        Assert.Equal(2000 - 500, held.Sum());
        Assert.Equal(held, balance.Next(With(vms, held), 0.64, 0.80, Server, At(11)).Held);
    }

    [Fact]
    public void Pressure_in_between_starts_the_waiting_anew()
    {
        VmMemory[] vms = [new(2000, 1000, 1000)];
        var balance = new MemoryBalance().Next(vms, 0.5, 0.80, Server, Start).Next;
        balance = balance.Next(vms, 0.9, 0.80, Server, At(9)).Next;
        Assert.Equal([1000], balance.Next(vms, 0.5, 0.80, Server, At(11)).Held);
    }

    [Fact]
    public void Containers_keep_what_they_were_promised_though_the_vm_was_made_smaller()
    {
        Assert.Equal(1500, new VmMemory(Most: 1000, Held: 300, Promised: 1500).Offered);
        Assert.Equal(700, new VmMemory(Most: 1000, Held: 300, Promised: 100).Offered);
        Assert.Equal(VmMemory.Least, new VmMemory(Most: 1000, Held: 1000, Promised: 0).Offered);
    }

    /// <summary>A server with a primary that comes and goes, and VMs that use what they are offered.</summary>
    [Fact]
    public void Whatever_happens_nothing_promised_is_taken_and_nothing_is_offered_that_is_not_there()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var world = 0; world < 300; world++)
        {
            var (balance, now, primary) = (new MemoryBalance(), Start, 0.2);
            var vms = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(64, 3000)).Select(most => new VmMemory(most, 0, random.Next(0, most))).ToArray();
            for (var step = 0; step < 100; step++, now += TimeSpan.FromSeconds(0.5 + (3 * random.NextDouble())))
            {
                if (random.Next(10) == 0)
                    primary = random.NextDouble();
                if (random.Next(5) == 0)
                    vms = [.. vms.Select(vm => vm with { Promised = random.Next(0, vm.Most) })];
                var share = Math.Min(1, primary + (vms.Sum(vm => vm.Offered) / 20_000.0));
                var before = vms.Sum(vm => vm.Offered);
                (balance, var held) = balance.Next(vms, share, 0.80, 20_000, now);
                vms = With(vms, held);
                var after = vms.Sum(vm => vm.Offered);
                Assert.All(vms, vm => Assert.True(vm.Held >= 0 && vm.Held <= vm.Most && vm.Offered >= vm.Promised && vm.Offered <= Math.Max(vm.Most, vm.Promised), $"seed {seed}: {vm}"));
                Assert.True(after <= before || share + ((after - before) / 20_000.0) <= 0.80 - MemoryBalance.GiveMargin + 1e-9, $"seed {seed}: gave {after - before} at {share}");
                Assert.True(after >= before || before - after <= Math.Ceiling((share - 0.70) * 20_000), $"seed {seed}: took {before - after} at {share}");
            }
        }
    }

    [Fact]
    public void All_that_is_wanted_is_taken_or_all_there_is()
    {
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
        {
            var vms = Enumerable.Range(0, random.Next(0, 5)).Select(_ => new VmMemory(random.Next(64, 5000), 0, random.Next(0, 5000))).ToArray();
            var wanted = random.Next(0, 10_000);
            var taken = vms.Sum(vm => vm.Offered) - With(vms, MemoryBalance.Take(vms, wanted)).Sum(vm => vm.Offered);
            Assert.Equal(Math.Min(wanted, vms.Sum(vm => vm.CanGive)), taken);
        }
    }

    private static VmMemory[] With(VmMemory[] vms, IReadOnlyList<int> held) => [.. vms.Zip(held, (vm, size) => vm with { Held = size })];

    private static DateTimeOffset At(double seconds) => Start + TimeSpan.FromSeconds(seconds);
}
