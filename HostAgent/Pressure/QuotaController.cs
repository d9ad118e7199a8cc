namespace Hosting.HostAgent.Pressure;

/// <summary>What the quota of the containers follows.</summary>
/// <param name="Cpu">Share of the server's CPU in use, by anyone.</param>
/// <param name="Evict">The share over which the server is under pressure.</param>
/// <param name="PrimaryWait">Share of its time that the primary waited for a CPU; null when it is not known.</param>
/// <param name="UsedMillis">What the containers use, in thousandths of a core.</param>
/// <param name="CapacityMillis">What the server has.</param>
internal readonly record struct QuotaInput(double Cpu, double Evict, double? PrimaryWait, int UsedMillis, int CapacityMillis);

/// <summary>
/// The CPU that all containers of the server together may use. They run in the lowest class already; a quota helps where a class does
/// not: shared caches, sibling threads of a core, memory bandwidth, I/O. Immutable and pure.
/// </summary>
internal readonly record struct QuotaController
{
    /// <summary>The primary waits noticeably: beside containers of the lowest class it waited 0.1 to 0.25, beside unprotected neighbours 0.5.</summary>
    public const double NoticeableWait = 0.30;

    /// <summary>Containers keep that share of the server: enough to answer a health check and to shut down.</summary>
    public const double Floor = 0.10;

    /// <summary>A step up, as a factor.</summary>
    public const double Up = 1.5;

    /// <summary>Pressure that lasts shorter is left to the kernel's classes.</summary>
    public static readonly TimeSpan TightenAfter = TimeSpan.FromSeconds(1);

    /// <summary>Time between two steps down.</summary>
    public static readonly TimeSpan TightenEvery = TimeSpan.FromMilliseconds(400);

    /// <summary>Time without pressure before the first step up.</summary>
    public static readonly TimeSpan CalmFor = TimeSpan.FromSeconds(5);

    /// <summary>Time between two steps up.</summary>
    public static readonly TimeSpan ReleaseEvery = TimeSpan.FromSeconds(1);

    private const double Down = 0.7;

    /// <summary>A step up may not bring the pressure back: so far it stays under the threshold.</summary>
    private const double Margin = 0.02;

    /// <summary>Thousandths of a core; null: no cap.</summary>
    public int? CapMillis { get; private init; }

    private DateTimeOffset ChangedAt { get; init; }

    private DateTimeOffset? PressedSince { get; init; }

    private DateTimeOffset PressedLast { get; init; }

    /// <summary>Why there is pressure, with the numbers; null when there is none.</summary>
    public static string? Pressure(QuotaInput input) => input switch
    {
        _ when input.Cpu > input.Evict => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"CPU {input.Cpu:0.00} over {input.Evict:0.00}"),
        // Of a primary that hardly runs a large share is next to nothing; what containers did not use, it did not wait for.
        { PrimaryWait: >= NoticeableWait and var wait } when input.UsedMillis >= FloorMillis(input.CapacityMillis) / 2 =>
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the primary waits {wait:0.00} of its time for a CPU, {NoticeableWait:0.00} is too much"),
        _ => null,
    };

    /// <summary>Whether a cap keeps containers from using more: those that do not come near it would not.</summary>
    public static bool IsFelt(int usedMillis, int capMillis) => usedMillis >= capMillis * 0.9;

    /// <summary>The next state.</summary>
    public QuotaController Next(QuotaInput input, DateTimeOffset now) => Pressure(input) is null ? Release(input, now) : Tighten(input, now);

    private QuotaController Tighten(QuotaInput input, DateTimeOffset now)
    {
        var pressed = this with { PressedSince = PressedSince ?? now, PressedLast = now };
        if (now - pressed.PressedSince < TightenAfter || now - ChangedAt < TightenEvery)
            return pressed;
        var from = Math.Min(CapMillis ?? input.CapacityMillis, input.UsedMillis);
        var to = Math.Max((int)(from * Down), FloorMillis(input.CapacityMillis));
        return to >= (CapMillis ?? input.CapacityMillis) ? pressed : pressed with { CapMillis = to, ChangedAt = now };
    }

    private QuotaController Release(QuotaInput input, DateTimeOffset now)
    {
        var calm = this with { PressedSince = null };
        if (CapMillis is not { } cap || now - PressedLast < CalmFor || now - ChangedAt < ReleaseEvery)
            return calm;
        var room = (int)((input.Evict - Margin - input.Cpu) * input.CapacityMillis);
        var to = IsFelt(input.UsedMillis, cap) ? Math.Min((int)(cap * Up), cap + room) : (int)(cap * Up);
        if (to >= input.CapacityMillis)
            return calm with { CapMillis = null, ChangedAt = now };
        return to > cap ? calm with { CapMillis = to, ChangedAt = now } : calm;
    }

    private static int FloorMillis(int capacity) => Math.Max(10, (int)(capacity * Floor));
}
