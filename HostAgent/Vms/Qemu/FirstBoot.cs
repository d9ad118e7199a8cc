using System.Globalization;

namespace Hosting.HostAgent.Vms.Qemu;

/// <summary>Boots a machine for the first time on this server and saves it once its engine answers.</summary>
internal sealed class FirstBoot(Machine machine, VmSlot slot, QemuProcess spawn, TimeProvider time)
{
    private const long Unlimited = 1L << 40;
    private static readonly TimeSpan BootDeadline = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SaveCheckEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Saves it, and ends it: who wants it resumes what was saved.</summary>
    /// <exception cref="VmException">It did not come up, or there was no room for its state.</exception>
    public async Task SaveAsync(SavedState to, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(BootDeadline);
        try
        {
            await MakeDiskAsync(deadline.Token);
            var process = spawn.Boot();
            await BootAsync(process, deadline.Token);
            await SaveAsync(process, to, deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new VmException($"its first boot took longer than {BootDeadline.TotalMinutes:0} min");
        }
    }

    private async Task MakeDiskAsync(CancellationToken cancellation)
    {
        var path = slot.FileOf("data.img");
        await using (var file = File.Create(path))
            file.SetLength(machine.DiskMiB * 1024L * 1024L);
        await Commands.RunAsync("mke2fs", ["-q", "-t", "ext4", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", path], null, cancellation);
    }

    private async Task BootAsync(HostProcess process, CancellationToken cancellation)
    {
        using var console = await spawn.ConnectAsync(process, GuestConsole.ConnectAsync, "control.sock", cancellation);
        await console.WaitUntilBootedAsync(cancellation);
    }

    private async Task SaveAsync(HostProcess process, SavedState to, CancellationToken cancellation)
    {
        using (var qmp = await spawn.ConnectAsync(process, QmpClient.ConnectAsync, "qmp.sock", cancellation))
        {
            await qmp.ExecuteAsync("stop", null, cancellation);
            await qmp.ExecuteAsync("migrate-set-parameters", new Dictionary<string, object> { ["max-bandwidth"] = Unlimited }, cancellation);
            await qmp.ExecuteAsync("migrate", new { uri = $"exec:cat >{Quoted(to.State)}" }, cancellation);
            await WaitUntilSavedAsync(qmp, cancellation);
        }

        process.Kill();
        await process.WaitForExitAsync(cancellation);
        await Commands.RunAsync("cp", ["--sparse=always", "--reflink=auto", slot.FileOf("data.img"), to.Data], null, cancellation);
        File.Delete(slot.FileOf("data.img"));
    }

    private async Task WaitUntilSavedAsync(QmpClient qmp, CancellationToken cancellation)
    {
        while (true)
        {
            var migration = await qmp.ExecuteAsync("query-migrate", null, cancellation);
            var status = migration.GetProperty("status").GetString();
            if (status == "completed")
                return;
            if (status is "failed" or "cancelled")
                throw new VmException($"its state could not be saved; is the disk full? {(migration.TryGetProperty("error-desc", out var why) ? why.GetString() : status)}");
            await Task.Delay(SaveCheckEvery, time, cancellation);
        }
    }

    private static string Quoted(string path) => string.Create(CultureInfo.InvariantCulture, $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'");
}
